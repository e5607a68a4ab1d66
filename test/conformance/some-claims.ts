/** Claim rules that claim by a digest's first digits, for suites that need a known answer and no network. */
import type { Digest } from '../../core/oci/digest.ts';
import type { ContentServiceDeps } from '../../plugin/content-api/content-service.ts';
import type { Claim } from '../../plugin/store/claim-store.ts';

/** Digests that begin so are claimed when they are asked for; all others are not. */
export const CLAIMED_PREFIX = 'sha256:c1a1';

/** Claims that stand until they are released, of 1 MiB each. */
export function claimDigests(): ContentServiceDeps['claims'] {
  const standing = new Map<Digest, Claim>();
  return {
    givesLocal: () => true,
    async decide(digest) {
      if (!digest.startsWith(CLAIMED_PREFIX)) return undefined;
      const claim: Claim = { digest, size: 1024 * 1024, sources: [], claimedAtMs: Date.now() };
      standing.set(digest, claim);
      return claim;
    },
    decideLate: async () => undefined,
    claim: (digest) => standing.get(digest),
    asked: (digest) => standing.get(digest),
    claims: () => standing.values(),
    released: (digest) => void standing.delete(digest),
    committed: (digest) => void standing.delete(digest),
    wasRead: () => undefined,
  };
}
