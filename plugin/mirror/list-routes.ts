/** Tag lists by pages, and referrers: always the registry's own of this moment (distribution-spec, "Content discovery"). */
import type { Digest } from '../../core/oci/digest.ts';
import { OCI_INDEX } from '../../core/oci/media-types.ts';
import type { Source } from '../../core/oci/source.ts';
import type { Origin } from '../content/origin.ts';
import { type Answering, type Head, sendBytes } from './answering.ts';
import { fromOrigin } from './spec-errors.ts';

interface ListTarget {
  readonly source: Source;
  readonly name: string;
  readonly namespace?: string;
  readonly query: string;
}

/** @throws CodedError what the registry throws */
export async function answerTags(
  origin: Origin,
  to: Answering,
  target: ListTarget & { isEmpty: boolean },
): Promise<void> {
  const { source, name, isEmpty } = target;
  // None are asked for, but whether the repository is there is; some registries take 0 for "all".
  const query = isEmpty ? 'n=1' : target.query;
  const page = await origin.tags(source, query, callOf(to)).catch(asOrigin);
  const body = Buffer.from(`${JSON.stringify({ name, tags: isEmpty ? [] : page.tags })}\n`);
  const link = isEmpty ? {} : linkOf(target, 'tags/list', page.next);
  sendBytes(to, 200, { head: { 'content-type': 'application/json', ...link }, body });
}

/** @throws CodedError what the registry throws */
export async function answerReferrers(
  origin: Origin,
  to: Answering,
  target: ListTarget & { digest: Digest },
): Promise<void> {
  const { source, digest, query } = target;
  const page = await origin.referrers(source, { digest, query }, callOf(to)).catch(asOrigin);
  const filters: Head = page.isFiltered ? { 'oci-filters-applied': 'artifactType' } : {};
  const head = { 'content-type': OCI_INDEX, ...filters, ...linkOf(target, `referrers/${digest}`, page.next) };
  sendBytes(to, 200, { head, body: page.bytes });
}

/** The next page is asked for here again, with the registry's own parameters. */
function linkOf({ name, namespace }: ListTarget, path: string, next: string | undefined): Head {
  if (next === undefined) return {};
  const parameters = new URLSearchParams(next);
  parameters.delete('ns');
  if (namespace !== undefined) parameters.set('ns', namespace);
  return { link: `</v2/${name}/${path}?${parameters}>; rel="next"` };
}

function callOf({ signal, as }: Answering) {
  return { signal, ...(as && { as }) };
}

function asOrigin(error: unknown): never {
  throw fromOrigin(error);
}
