/** Lists from a registry: tags by pages, and referrers (OCI distribution-spec, "Listing Tags", "Listing Referrers"). */
import { isJsonObject, parseJsonObject } from '../oci/descriptor-json.ts';
import type { Digest } from '../oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../oci/manifest.ts';
import { isTag } from '../oci/reference.ts';
import { CodedError, isCode } from '../runtime/errors.ts';
import type { HttpAnswer } from './http-transport.ts';
import { checkRepository } from './manifest-requests.ts';
import { type CallOptions, RegistryError, type Repository } from './registry-client.ts';
import type { ReferrerPage, TagPage } from './registry-lists.ts';
import type { RegistryRequest, RegistryRequests } from './registry-requests.ts';

/** Some registries ignore `n` and send everything: a hundred thousand tags of a hundred characters. */
export const TAG_LIST_BYTES_MAX = 16 * 1024 * 1024;
/** Longer ones are no page's. */
const QUERY_LENGTH_MAX = 4096;

type ListOptions = CallOptions & { query?: string };

/** See `RegistryLists.tags`. */
export function fetchTags(requests: RegistryRequests, repository: Repository, options: ListOptions): Promise<TagPage> {
  const action = `Tags of "${repository.registry.host}/${repository.name}"`;
  const request = listRequest(repository, { path: 'tags/list', action }, options);
  const use = async (answer: HttpAnswer) => {
    const bytes = await readCounted(requests, repository, answer, TAG_LIST_BYTES_MAX);
    return { tags: tagsIn(bytes, action), ...nextOf(answer) };
  };
  return requests.perform(repository, request, { ...options, use });
}

/** See `RegistryLists.referrers`. */
export async function fetchReferrers(
  requests: RegistryRequests,
  { repository, subject }: { repository: Repository; subject: Digest },
  options: ListOptions,
): Promise<ReferrerPage | undefined> {
  const action = `Referrers of "${subject}" in "${repository.registry.host}/${repository.name}"`;
  const request = listRequest(repository, { path: `referrers/${subject}`, action }, options);
  const use = async (answer: HttpAnswer) => {
    const bytes = await readCounted(requests, repository, answer, MAX_MANIFEST_BYTES);
    checkIndex(bytes, action);
    return { bytes, isFiltered: filtersOf(answer).includes('artifactType'), ...nextOf(answer) };
  };
  try {
    return await requests.perform(repository, request, { ...options, use });
  } catch (error) {
    // Registries from before 1.1 of the specification have no such path, and say so in several ways.
    const isOld = isCode(error, 'NOT_FOUND', 'FAILED_PRECONDITION');
    if (isOld || (error instanceof RegistryError && error.status === 400)) return undefined;
    throw error;
  }
}

function listRequest(
  repository: Repository,
  { path, action }: { path: string; action: string },
  { query = '' }: ListOptions,
): RegistryRequest {
  checkRepository(repository);
  const headers = { accept: 'application/json, application/vnd.oci.image.index.v1+json' };
  return { kind: 'list', method: 'GET', path: query === '' ? path : `${path}?${query}`, headers, action };
}

async function readCounted(
  requests: RegistryRequests,
  repository: Repository,
  answer: HttpAnswer,
  bytesMax: number,
): Promise<Buffer> {
  const bytes = await answer.read(bytesMax);
  requests.received(repository, 'list', bytes.length);
  return bytes;
}

/** What is no tag by the grammar is left out; a repository without tags may have null. */
function tagsIn(bytes: Buffer, action: string): string[] {
  const { tags } = parsed(bytes, action);
  if (tags !== null && tags !== undefined && !Array.isArray(tags)) throw unusable(action);
  return (tags ?? []).filter((tag: unknown) => typeof tag === 'string' && isTag(tag));
}

function checkIndex(bytes: Buffer, action: string): void {
  const { manifests } = parsed(bytes, action);
  if (manifests !== null && !Array.isArray(manifests)) throw unusable(action);
  if (!(manifests ?? []).every(isJsonObject)) throw unusable(action);
}

function parsed(bytes: Buffer, action: string) {
  try {
    return parseJsonObject(bytes, action);
  } catch (error) {
    throw unusable(action, error);
  }
}

function unusable(action: string, cause?: unknown): CodedError {
  return new CodedError('UNAVAILABLE', `${action} came as something else than a list`, { cause });
}

function filtersOf(answer: HttpAnswer): string[] {
  const header = answer.headers['oci-filters-applied'];
  return (typeof header === 'string' ? header : '').split(',').map((filter) => filter.trim());
}

/** The query of the link that goes on; its host and path are ours to know. */
function nextOf(answer: HttpAnswer): { next?: string } {
  const { link } = answer.headers;
  const text = Array.isArray(link) ? link.join(',') : (link ?? '');
  const target = /<([^<>]{1,8192})>\s*;[^,]*\brel="?next"?/i.exec(text)?.[1];
  const url = target === undefined ? undefined : URL.parse(target, 'http://registry.invalid/');
  const query = url?.search.slice(1) ?? '';
  return query === '' || query.length > QUERY_LENGTH_MAX ? {} : { next: query };
}
