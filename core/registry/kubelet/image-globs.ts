/**
 * How the kubelet compares images with `matchImages` and with the keys of a plugin's answer (kubernetes
 * pkg/credentialprovider/keyring.go, `URLsMatch`): as many labels in the host, each by its own glob; the same port, or none in
 * both; the path as a prefix of the text. Pure.
 */

interface SchemelessUrl {
  readonly labels: readonly string[];
  readonly port: string;
  readonly path: string;
}

/** @param image a repository with its registry, `123.dkr.ecr.eu-west-1.amazonaws.com/team/app` */
export function isImageMatched(glob: string, image: string): boolean {
  const [wanted, found] = [parse(glob), parse(image)];
  return (
    wanted.port === found.port &&
    wanted.labels.length === found.labels.length &&
    found.path.startsWith(wanted.path) &&
    wanted.labels.every((label, at) => isLabelMatched(label, found.labels[at] ?? ''))
  );
}

/** A glob's own form in which its host is compared: what a key of an answer may have besides is cut off. */
export function keyOfAuth(key: string): string {
  const url = key.replace(/^https?:\/\//, '').replace(/[?#].*$/s, '');
  const at = url.indexOf('/');
  if (at < 0) return url;
  const path = url.slice(at).replace(/^\/v[12](?=\/)/, '');
  return url.slice(0, at) + (path === '/' ? '' : path);
}

function parse(text: string): SchemelessUrl {
  const url = text.replace(/[?#].*$/s, '');
  const slash = url.indexOf('/');
  const authority = slash < 0 ? url : url.slice(0, slash);
  const [, host = authority, port = ''] = /^(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(authority) ?? [];
  return { labels: host.split('.'), port, path: slash < 0 ? '' : url.slice(slash) };
}

/** Go's `filepath.Match`, so far as a host's label can be a pattern. Without backtracking: patterns are the operator's, images are not. */
function isLabelMatched(glob: string, label: string): boolean {
  const parts = glob.split('*');
  const [first = ''] = parts;
  if (parts.length === 1) return glob === label;
  const last = parts.at(-1) ?? '';
  if (label.length < first.length + last.length || !label.startsWith(first) || !label.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = label.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= label.length - last.length;
}
