/**
 * Manifests also while no registry can be asked: a tag is what the fleet last knew, and bytes come from whoever has them. Everything that a
 * registry answers, also a refusal, is its own.
 */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import { parseDigest } from '../../core/oci/digest.ts';
import { parseManifest } from '../../core/oci/manifest.ts';
import { isCode } from '../../core/runtime/errors.ts';
import type { ContentFetcher } from '../content/content.ts';
import { readKept } from '../content/keep-proven.ts';
import type { KnownBlobs } from '../content/known-blobs.ts';
import type { Manifests, ProvenManifest } from '../content/manifests.ts';
import type { BlobHolder, BlobReader } from '../store/blob-store.ts';

/** Members answer at once or not at all, milliseconds. */
const SETTLE_MS = 3_000;
const GIVE_UP_MS = 20_000;
/** Digests whose size a tag told. */
const SIZES_MAX = 1_000;

/** What tags last pointed to, as far as anybody knows. */
export interface LastTags {
  last(name: {
    registry: string;
    repository: string;
    tag: string;
  }): Promise<{ readonly descriptor: Descriptor } | undefined>;
}

export interface FallbackDeps {
  readonly upstream: Manifests;
  readonly tags: LastTags;
  readonly content: ContentFetcher;
  readonly known: Pick<KnownBlobs, 'get'>;
  readonly store: BlobReader & BlobHolder;
}

export function createFallbackManifests(deps: FallbackDeps): Manifests {
  const sizes = new Map<string, number>();
  return {
    async resolve(reference, options) {
      try {
        return await deps.upstream.resolve(reference, options);
      } catch (error) {
        const { domain: registry, path: repository, tag, digest } = reference;
        if (!isCode(error, 'UNAVAILABLE') || tag === undefined || digest !== undefined) throw error;
        const last = (await deps.tags.last({ registry, repository, tag }))?.descriptor;
        if (last === undefined) throw error;
        if (sizes.size >= SIZES_MAX) sizes.clear();
        sizes.set(last.digest, last.size);
        return last;
      }
    },
    async manifest(source, digest, options) {
      try {
        return await deps.upstream.manifest(source, digest, options);
      } catch (error) {
        const size = sizes.get(digest) ?? deps.known.get(digest)?.size;
        const found =
          isCode(error, 'UNAVAILABLE') && size !== undefined
            ? await fromOthers(deps, digest, size, options)
            : undefined;
        if (found === undefined) throw error;
        return found;
      }
    },
  };
}

async function fromOthers(
  deps: FallbackDeps,
  text: string,
  size: number,
  { signal }: { signal: AbortSignal },
): Promise<ProvenManifest | undefined> {
  const digest = parseDigest(text);
  const want = { digest, size, sources: [] };
  deps.content.prepare([want]);
  await deps.content
    .settled(want, { signal: AbortSignal.any([signal, AbortSignal.timeout(SETTLE_MS)]) })
    .catch(() => undefined);
  if (deps.content.route(want) !== 'yes') return undefined;
  await deps.content.fetch(want, 'cache', { giveUpMs: GIVE_UP_MS }).done.catch(() => undefined);
  const bytes = await readKept(deps.store, digest);
  return bytes && { descriptor: { mediaType: parseManifest(bytes).mediaType, digest, size: bytes.length }, bytes };
}
