/** Which keys of a pull secret are for an image: the kubelet's rules (kubernetes `pkg/credentialprovider/keyring.go`). Pure. */

interface Key {
  readonly labels: readonly string[];
  readonly port: string;
  readonly path: string;
}

/** Docker's own name for Docker Hub in configuration files. */
const DOCKER_HUB_KEY = 'index.docker.io';
const KEY_LENGTH_MAX = 1024;

/**
 * The keys that match `domain/path`, in the order in which they are tried: longer ones first. Each label of the host may
 * be a glob, their number and the port are equal, and the path is a prefix, wherever it ends.
 */
export function matchingKeys(keys: Iterable<string>, image: { domain: string; path: string }): string[] {
  const target = keyOf(`${image.domain}/${image.path}`);
  const isHub = image.domain === 'docker.io';
  return [...keys]
    .filter((key) => key.length <= KEY_LENGTH_MAX)
    .filter((key) => matches(keyOf(key), target) || (isHub && hostOf(key) === DOCKER_HUB_KEY))
    .sort((a, b) => (stripped(a) < stripped(b) ? 1 : -1));
}

function matches(key: Key, target: Key): boolean {
  return (
    key.labels.length === target.labels.length &&
    key.port === target.port &&
    target.path.startsWith(key.path) &&
    key.labels.every((label, index) => globMatches(label, target.labels[index] ?? ''))
  );
}

function keyOf(text: string): Key {
  const [, host = '', port = '', path = ''] = /^(\[[^\]]*\]|[^/:]*)(?::(\d+))?(\/.*)?$/s.exec(stripped(text)) ?? [];
  return { labels: host.toLowerCase().split('.'), port, path };
}

/** Without scheme, version prefix and trailing slash. */
function stripped(text: string): string {
  return text
    .replace(/^https?:\/\//, '')
    .replace(/^([^/]*)\/v[12](?=\/)/, '$1')
    .replace(/\/+$/, '');
}

function hostOf(text: string): string {
  return stripped(text).replace(/[/:].*$/s, '');
}

/** `*` and `?` within one label; no way to climb out of it. */
function globMatches(glob: string, label: string): boolean {
  if (!/[*?]/.test(glob)) return glob === label;
  let [at, from, star, mark] = [0, 0, -1, 0];
  while (at < label.length) {
    if (glob[from] === '?' || (glob[from] !== '*' && glob[from] === label[at])) {
      at += 1;
      from += 1;
    } else if (glob[from] === '*') {
      star = from;
      mark = at;
      from += 1;
    } else if (star >= 0) {
      from = star + 1;
      mark += 1;
      at = mark;
    } else return false;
  }
  return [...glob.slice(from)].every((char) => char === '*');
}
