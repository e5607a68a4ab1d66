/** What manifests said, without bounds. */
import type { Descriptor } from '../../../../core/oci/descriptor.ts';
import type { Digest } from '../../../../core/oci/digest.ts';
import { childrenOf, parseManifest } from '../../../../core/oci/manifest.ts';
import type { Source } from '../../../../core/oci/source.ts';
import { messageOf } from '../../../../core/runtime/errors.ts';
import type { BlobRole, KnownBlob, KnownBlobs } from '../../../content/known-blobs.ts';

export class FakeKnownBlobs implements KnownBlobs {
  readonly blobs = new Map<Digest, KnownBlob>();
  readonly named = new Map<Digest, readonly Descriptor[]>();
  readonly learned = new Map<Digest, Source[]>();
  /** Why bytes were no manifest. */
  readonly refusals: string[] = [];

  get(digest: Digest): KnownBlob | undefined {
    return this.blobs.get(digest);
  }

  sources(digest: Digest): readonly Source[] {
    const parents = [...this.named].filter(([, children]) => children.some((child) => child.digest === digest));
    return [digest, ...parents.map(([parent]) => parent)].flatMap((name) => this.learned.get(name) ?? []);
  }

  learnManifest(digest: Digest, bytes: Uint8Array): readonly Descriptor[] {
    try {
      const manifest = parseManifest(bytes);
      const children = childrenOf(manifest);
      this.named.set(digest, children);
      children.forEach(({ digest: child, size, mediaType }, at) => {
        const inImage: BlobRole = at === 0 ? 'config' : 'layer';
        this.blobs.set(child, { size, mediaType, role: manifest.kind === 'index' ? 'manifest' : inImage });
      });
      return children;
    } catch (error) {
      this.refusals.push(messageOf(error));
      return [];
    }
  }

  learnSource(digest: Digest, source: Source): void {
    this.learned.set(digest, [source, ...(this.learned.get(digest) ?? [])]);
  }

  children(digest: Digest): readonly Descriptor[] | undefined {
    return this.named.get(digest);
  }
}
