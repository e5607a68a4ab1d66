/**
 * Image references as people type them (grammar: distribution/reference), made whole as containerd and CRI make them
 * (distribution/reference `ParseDockerRef`): Docker Hub and `library/` filled in, `latest` when nothing is said, and a
 * tag dropped when there is a digest as well.
 */
import { CodedError } from '../runtime/errors.ts';

/** One image by its full name, with either a tag or a digest, never both. */
export interface Reference {
  /** The registry's name in references, with its port: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  domain: string;
  /** The repository: lower-case components joined by `/`, at most 255 characters. */
  path: string;
  tag?: string;
  /** `sha256:`, `sha384:` or `sha512:` and its lower-case hexadecimal digits; `parseDigest` tells whether we can store it. */
  digest?: string;
}

/** distribution/reference `RepositoryNameTotalLengthMax`; the domain does not count. */
const PATH_LENGTH_MAX = 255;
/** Domain (253 and a port), path, tag (128) and the longest digest fit well within it. */
const REFERENCE_LENGTH_MAX = 1024;

const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const HEX_LENGTH = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

/**
 * Parses a reference and makes it whole: `nginx` becomes docker.io, library/nginx, latest.
 * @throws CodedError INVALID_ARGUMENT naming the part that is wrong
 */
export function parseReference(text: string): Reference {
  if (text === '') throw new CodedError('INVALID_ARGUMENT', 'Reference is empty');
  if (text.length > REFERENCE_LENGTH_MAX) throw refused(text, `it has more than ${REFERENCE_LENGTH_MAX} characters`);
  if (/^[a-f0-9]{64}$/.test(text)) throw refused(text, 'it is an identifier of 64 hexadecimal digits, not a name');
  const { domain, rest } = splitDomain(text);
  const [named = '', digest] = cut(rest, '@');
  const [path = '', tag] = cut(named, ':');
  checkDomain(text, domain);
  checkPath(text, path);
  if (tag !== undefined && !TAG.test(tag)) throw refused(text, `tag "${clip(tag)}" is not ${TAG_WANTED}`);
  if (digest === undefined) return { domain, path, tag: tag ?? 'latest' };
  checkDigest(text, digest);
  return { domain, path, digest };
}

/** The canonical text: `domain/path:tag` or `domain/path@digest`. `parseReference` gives the same reference back. */
export function formatReference(reference: Reference): string {
  const name = `${reference.domain}/${reference.path}`;
  if (reference.digest !== undefined) return `${name}@${reference.digest}`;
  return `${name}:${reference.tag ?? 'latest'}`;
}

/** True for a repository name that may stand in a registry's path: no dots that climb, nothing to escape. */
export function isRepositoryName(path: string): boolean {
  return path.length <= PATH_LENGTH_MAX && path.split('/').every((component) => PATH_COMPONENT.test(component));
}

/** True for a tag. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** What stands before the first slash is a registry only if it looks like one (distribution/reference `splitDockerDomain`). */
function splitDomain(text: string): { domain: string; rest: string } {
  const [first = '', rest] = cut(text, '/');
  if (rest === undefined) return { domain: 'docker.io', rest: `library/${text}` };
  const isDomain = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  const domain = !isDomain || first === 'index.docker.io' ? 'docker.io' : first;
  const remote = isDomain ? rest : text;
  return { domain, rest: domain === 'docker.io' && !remote.includes('/') ? `library/${remote}` : remote };
}

function checkDomain(text: string, domain: string): void {
  if (DOMAIN.test(domain)) return;
  if (/^https?:$/.test(domain)) throw refused(text, `it starts with "${domain}//", and references have no scheme`);
  throw refused(text, `registry "${clip(domain)}" is not a host name or address with an optional port`);
}

function checkPath(text: string, path: string): void {
  if (path === '' || path === 'library/') throw refused(text, 'it names no repository');
  if (path.length > PATH_LENGTH_MAX) {
    throw refused(text, `its repository has ${path.length} characters, ${PATH_LENGTH_MAX} at most`);
  }
  if (path.toLowerCase() !== path) throw refused(text, `repository "${clip(path)}" must be lower-case`);
  const bad = path.split('/').find((component) => !PATH_COMPONENT.test(component));
  if (bad !== undefined) throw refused(text, `repository component "${clip(bad)}" is not ${COMPONENT_WANTED}`);
}

function checkDigest(text: string, digest: string): void {
  const [algorithm = '', hex = ''] = cut(digest, ':');
  const length = HEX_LENGTH.get(algorithm);
  if (length === undefined) {
    throw refused(text, `digest algorithm "${clip(algorithm)}" is not one of ${[...HEX_LENGTH.keys()].join(', ')}`);
  }
  if (hex.length !== length || !/^[0-9a-f]+$/.test(hex)) {
    throw refused(text, `digest "${clip(digest)}" needs ${length} lower-case hexadecimal digits`);
  }
}

const TAG_WANTED = '1 to 128 letters, digits, "_", "." or "-", the first neither "." nor "-"';
const COMPONENT_WANTED = 'lower-case letters and digits, with ".", "_", "__" or dashes between them';

function refused(text: string, reason: string): CodedError {
  return new CodedError('INVALID_ARGUMENT', `Reference "${clip(text)}" is refused: ${reason}`);
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
