/** Conditional requests (RFC 9110, section 13), by the one validator that content has: its digest as a strong entity tag. Pure. */
import type { Digest } from '../../core/oci/digest.ts';

export interface ConditionHeaders {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifRange?: string | undefined;
}

/** The entity tag of content. */
export function etagOf(digest: Digest): string {
  return `"${digest}"`;
}

/** In the order of RFC 9110, section 13.2.2. */
export function evaluate(headers: ConditionHeaders, digest: Digest): 'send' | 'not-modified' | 'failed' {
  const etag = etagOf(digest);
  if (headers.ifMatch !== undefined && !listMatches(headers.ifMatch, etag, 'strong')) return 'failed';
  if (headers.ifNoneMatch !== undefined && listMatches(headers.ifNoneMatch, etag, 'weak')) return 'not-modified';
  return 'send';
}

/** Whether `Range` counts: a date never matches, since content has none. */
export function isRangeWanted({ ifRange }: ConditionHeaders, digest: Digest): boolean {
  return ifRange === undefined || ifRange.trim() === etagOf(digest);
}

/** Some clients send the digest without quotes; theirs is a match as well. */
function listMatches(header: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  const tags = header.split(',').map((tag) => tag.trim());
  const bare = etag.slice(1, -1);
  return tags.some(
    (tag) => tag === '*' || tag === etag || tag === bare || (comparison === 'weak' && tag === `W/${etag}`),
  );
}
