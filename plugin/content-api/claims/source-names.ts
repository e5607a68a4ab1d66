/** Where a manifest came from, as containerd writes it down: labels of its content and names of its images. Pure. */
import { type Digest, isDigest } from '../../../core/oci/digest.ts';
import { parseReference } from '../../../core/oci/reference.ts';
import type { Source } from '../../../core/oci/source.ts';
import { isCode } from '../../../core/runtime/errors.ts';
import { SOURCE_LABEL_PREFIX } from '../../containerd/containerd.ts';

/** A label value is at most 4096 bytes; more names than this are of no use. */
const REPOSITORIES_MAX = 16;

/** Sources in a record's labels, without their ports (containerd `core/remotes/docker/handler.go`). */
export function sourcesInLabels(labels: ReadonlyMap<string, string>): Source[] {
  return [...labels].flatMap(([key, value]) => {
    const registry = key.startsWith(SOURCE_LABEL_PREFIX) ? key.slice(SOURCE_LABEL_PREFIX.length) : '';
    if (registry === '') return [];
    const repositories = value.split(',').filter((repository) => repository !== '');
    return repositories.slice(0, REPOSITORIES_MAX).map((repository) => ({ registry, repository }));
  });
}

/** containerd sets these on whatever names other content, for its garbage collector (`core/images/mediatypes.go`, `ChildGCLabels`). */
const CHILD_LABEL_PREFIX = 'containerd.io/gc.ref.content.';

/** True for a record that names others: an index or a manifest. */
export function isManifestByLabels(labels: ReadonlyMap<string, string>): boolean {
  return [...labels.keys()].some((key) => key.startsWith(CHILD_LABEL_PREFIX));
}

/**
 * The source in an image's name; undefined for names that are no full reference (CRI's `sha256:<config>`, import names):
 * only a name that spells its registry says where it came from.
 */
export function sourceInImageName(name: string): Source | undefined {
  try {
    const { domain, path } = parseReference(name);
    return name.startsWith(`${domain}/`) ? { registry: domain, repository: path } : undefined;
  } catch (error) {
    if (isCode(error, 'INVALID_ARGUMENT')) return undefined;
    throw error;
  }
}

/** What containerd passes as a Write's ref: `<namespace>/<n>/<kind>-<digest>`. Other clients pass what they like. */
export function parseIngestRef(ref: string): { namespace?: string; kind: string; digest?: Digest } {
  const parts = /^([^/]+)\/\d+\/(.*)$/s.exec(ref);
  const name = parts?.[2] ?? ref;
  const kind = /^(index|manifest|config|layer|attestation)-/.exec(name)?.[1] ?? '';
  const digest = name.slice(kind.length + 1);
  return {
    ...(parts?.[1] !== undefined && { namespace: parts[1] }),
    kind,
    ...(kind !== '' && isDigest(digest) && { digest }),
  };
}
