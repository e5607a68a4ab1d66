/** What follows from comparing containerd's lists with this disk. Pure. */
import type { Digest } from '../../../core/oci/digest.ts';
import type { ContainerdContent } from '../../containerd/containerd.ts';
import type { BlobStat } from '../../store/blob-store.ts';
import { isManifestByLabels } from './source-names.ts';
import type { Wanted } from './standing-claims.ts';

/** A claim that containerd does not list so long after it asked led to nothing; its record follows `Info` within seconds. */
export const UNLISTED_CLAIM_MS = 10 * 60_000;
/** So many missing manifests, and more than half of those listed, look like a wrong directory. */
export const MISSING_SUSPICIOUS_COUNT = 5;

export interface Compared {
  /** Here, but containerd's hold does not link them. */
  readonly link: readonly Digest[];
  /** Listed, but neither here nor claimed. */
  readonly missing: readonly ContainerdContent[];
  /** Claims that containerd does not know and that are old. */
  readonly ended: readonly Digest[];
  /**
   * Manifests are never claimed and always synced, so a crash loses none: when most are missing, this is not the
   * directory that containerd wrote to, and giving back would destroy good records.
   */
  readonly isWrongDirectory: boolean;
}

export interface CompareFacts {
  /** Every blob that any namespace lists, each once. */
  readonly listed: ReadonlyMap<Digest, ContainerdContent>;
  readonly claims: readonly Wanted[];
  stat(digest: Digest): BlobStat | undefined;
  /** A claim stands for it, or it is being given back. */
  isTakenCareOf(digest: Digest): boolean;
  readonly nowMs: number;
}

export function compare(facts: CompareFacts): Compared {
  const link: Digest[] = [];
  const missing: ContainerdContent[] = [];
  for (const content of facts.listed.values()) {
    const blob = facts.stat(content.digest);
    if (blob === undefined && !facts.isTakenCareOf(content.digest)) missing.push(content);
    if (blob !== undefined && !blob.holds.has('containerd')) link.push(content.digest);
  }
  const ended = facts.claims.filter(
    (claim) => !facts.listed.has(claim.digest) && facts.nowMs - claim.askedAtMs > UNLISTED_CLAIM_MS,
  );
  return { link, missing, ended: ended.map(({ digest }) => digest), isWrongDirectory: isWrong(facts.listed, missing) };
}

function isWrong(listed: CompareFacts['listed'], missing: readonly ContainerdContent[]): boolean {
  const missingCount = missing.filter(({ labels }) => isManifestByLabels(labels)).length;
  if (missingCount < MISSING_SUSPICIOUS_COUNT) return false;
  const listedCount = [...listed.values()].filter(({ labels }) => isManifestByLabels(labels)).length;
  return missingCount * 2 > listedCount;
}
