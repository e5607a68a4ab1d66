/** What a request asks for: path and query of the distribution specification's endpoints, checked by its grammar. Pure. */
import { type Digest, isDigest } from '../../core/oci/digest.ts';
import { isRepositoryName, isTag } from '../../core/oci/reference.ts';
import type { Source } from '../../core/oci/source.ts';
import { QUERY_PARAMETERS_MAX, QUERY_TEXT_MAX } from './limits.ts';
import { type Asked, badRequest } from './spec-errors.ts';

/** A request for something of a repository. */
interface Located {
  readonly source: Source;
  /** The name as the path has it. */
  readonly name: string;
  /** The value of `ns`, when the request had one. */
  readonly namespace?: string;
}

export type Target =
  | { readonly kind: 'base' }
  | (Located & {
      readonly kind: 'manifest';
      readonly reference: { readonly tag: string } | { readonly digest: Digest };
    })
  | (Located & { readonly kind: 'blob'; readonly digest: Digest })
  | (Located & { readonly kind: 'tags'; readonly query: string; readonly isEmpty: boolean })
  | (Located & { readonly kind: 'referrers'; readonly digest: Digest; readonly query: string });

/** Without `ns`, as Docker's `registry-mirrors` ask. */
const DEFAULT_REGISTRY = 'docker.io';
const REGISTRY = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::\d{1,5})?$/;
const PATH = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/;

/**
 * Reads a request target in origin form.
 * @param pathRegistries lower-case registries that the path's first component may name
 * @throws SpecError for anything else
 */
export function parseTarget(target: string, pathRegistries: ReadonlySet<string>): Target {
  if (!target.startsWith('/')) throw badRequest('UNSUPPORTED', 'Request target is not a path');
  const [path = '', query = ''] = cut(target, '?');
  if (/[^\x21-\x7e]|[%\\#]/.test(path)) throw badRequest('NAME_INVALID', 'Path has characters that no name has');
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  const [, name = '', kind = '', last = ''] = PATH.exec(path) ?? [];
  if (name === '') throw badRequest('UNSUPPORTED', 'No such path', 404);
  const parameters = parametersOf(query);
  const located = locate(name, parameters, pathRegistries);
  return targetOf(kind, last, { located, parameters });
}

/** What a kind of request is called in errors, logs and metrics; `base` when it could not be read. */
export function askedOf(target: Target | undefined): Asked {
  return target?.kind ?? 'base';
}

function targetOf(
  kind: string,
  last: string,
  { located, parameters }: { located: Located; parameters: URLSearchParams },
): Target {
  if (kind === 'manifests') return { ...located, kind: 'manifest', reference: referenceOf(last) };
  if (kind === 'blobs') return { ...located, kind: 'blob', digest: digestOf(last) };
  if (kind === 'referrers')
    return { ...located, kind: 'referrers', digest: digestOf(last), query: queryOf(parameters) };
  if (last !== 'list') throw badRequest('UNSUPPORTED', 'No such path', 404);
  const count = parameters.get('n');
  if (count !== null && !/^\d{1,9}$/.test(count)) throw badRequest('UNSUPPORTED', 'Parameter "n" is not a count');
  const isEmpty = count !== null && Number(count) === 0;
  return { ...located, kind: 'tags', query: queryOf(parameters), isEmpty };
}

function locate(name: string, parameters: URLSearchParams, pathRegistries: ReadonlySet<string>): Located {
  const namespaces = parameters.getAll('ns');
  parameters.delete('ns');
  if (namespaces.length > 1) throw badRequest('NAME_INVALID', 'Parameter "ns" is given more than once');
  const [namespace] = namespaces;
  const [first = '', rest] = cut(name, '/');
  const isInPath = namespace === undefined && rest !== undefined && pathRegistries.has(first.toLowerCase());
  const registry = (isInPath ? first : (namespace ?? DEFAULT_REGISTRY)).toLowerCase();
  const repository = isInPath ? (rest ?? '') : name;
  if (!REGISTRY.test(registry)) throw badRequest('NAME_INVALID', `Registry "${clip(registry)}" is not a host name`);
  if (!isRepositoryName(repository)) throw badRequest('NAME_INVALID', `Repository "${clip(repository)}" is not a name`);
  return { source: { registry, repository }, name, ...(namespace !== undefined && { namespace }) };
}

function referenceOf(text: string): { tag: string } | { digest: Digest } {
  if (text.includes(':')) return { digest: digestOf(text, 'MANIFEST_UNKNOWN') };
  // No registry can have such a tag: it is as absent as any other.
  if (!isTag(text)) throw badRequest('MANIFEST_UNKNOWN', `Tag "${clip(text)}" is not a tag`, 404);
  return { tag: text };
}

function digestOf(text: string, absent: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN' = 'BLOB_UNKNOWN'): Digest {
  if (isDigest(text)) return text;
  // The registry itself may have it: only SHA-256 is kept here.
  if (/^sha(?:384:[0-9a-f]{96}|512:[0-9a-f]{128})$/.test(text)) {
    throw badRequest(absent, `Digest "${clip(text)}" is of an algorithm that is not kept here`, 404);
  }
  throw badRequest('DIGEST_INVALID', `Digest "${clip(text)}" is not "sha256:" and 64 lower-case hexadecimal digits`);
}

function parametersOf(query: string): URLSearchParams {
  const parameters = new URLSearchParams(query);
  const texts = [...parameters].flat();
  if (texts.length > 2 * QUERY_PARAMETERS_MAX) {
    throw badRequest('UNSUPPORTED', `Query has more than ${QUERY_PARAMETERS_MAX} parameters`);
  }
  if (texts.some((text) => text.length > QUERY_TEXT_MAX || /\p{Cc}/u.test(text))) {
    throw badRequest('UNSUPPORTED', 'Query has a parameter that is too long, or with control characters');
  }
  return parameters;
}

/** What is passed on to the registry: its own paging parameters, as it gave them. */
function queryOf(parameters: URLSearchParams): string {
  return parameters.toString();
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
