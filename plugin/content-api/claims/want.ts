/** A blob that is to be claimed, as the heart wants to be asked for it. */
import type { Digest } from '../../../core/oci/digest.ts';
import { type Source, sourceKey } from '../../../core/oci/source.ts';
import type { Want } from '../../content/blob-source.ts';
import type { KnownBlobs } from '../../content/known-blobs.ts';
import { CLAIM_SOURCES_MAX } from '../../store/claim-store.ts';

/** What is known of its sources, then `more`; each once, and no more than a claim remembers. */
export function wantOf(known: KnownBlobs, digest: Digest, size: number, more: readonly Source[] = []): Want {
  const sources = new Map([...known.sources(digest), ...more].map((source) => [sourceKey(source), source]));
  return { digest, size, sources: [...sources.values()].slice(0, CLAIM_SOURCES_MAX) };
}
