/** The part of an answer that conditions decide: 304, 412, or that it is sent. */
import type { Digest } from '../../core/oci/digest.ts';
import { type Answering, type Head, sendEmpty } from './answering.ts';
import { type ConditionHeaders, etagOf, evaluate } from './preconditions.ts';
import { SpecError } from './spec-errors.ts';

/** Head fields of content with a digest. */
export function contentHead(digest: Digest): { 'docker-content-digest': string; etag: string } {
  return { 'docker-content-digest': digest, etag: etagOf(digest) };
}

export function conditionsOf({ headers }: Pick<Answering, 'headers'>): ConditionHeaders {
  const ifRange = headers['if-range'];
  return {
    ifMatch: headers['if-match'],
    ifNoneMatch: headers['if-none-match'],
    ifRange: Array.isArray(ifRange) ? ifRange.join(',') : ifRange,
  };
}

/** True when the answer was given. @throws SpecError 412 */
export function answeredByCondition(to: Answering, digest: Digest, head: Head = {}): boolean {
  const outcome = evaluate(conditionsOf(to), digest);
  if (outcome === 'failed') {
    const message = `Content is "${digest}", which If-Match does not name`;
    throw new SpecError('FAILED_PRECONDITION', { status: 412, code: 'UNSUPPORTED', message });
  }
  if (outcome === 'send') return false;
  sendEmpty(to, 304, { ...head, ...contentHead(digest) });
  return true;
}
