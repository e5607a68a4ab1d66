/**
 * What proven manifests said about other blobs, and from where they came: sizes, children, sources. Fed by the edges,
 * asked by the claim rules. In memory and bounded; everything in it can be learned again.
 */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';

/** What a blob is to us; only layers and configs may be claimed before they are here. */
export type BlobRole = 'index' | 'manifest' | 'config' | 'layer';

export interface KnownBlob {
  /** Bytes, as a proven manifest said. */
  readonly size: number;
  readonly role: BlobRole;
  readonly mediaType: string;
}

export interface KnownBlobs {
  get(digest: Digest): KnownBlob | undefined;
  /** Sources of a blob: its own and those of every manifest that names it, most recently learned first. */
  sources(digest: Digest): readonly Source[];
  /**
   * Takes in a manifest or index whose bytes hash to `digest`.
   * @returns its children, with their roles known from now on; empty when the bytes are no manifest
   */
  learnManifest(digest: Digest, bytes: Uint8Array): readonly Descriptor[];
  /** `digest` (and what it names, now and later) can be had from `source`. */
  learnSource(digest: Digest, source: Source): void;
  /** Children of a manifest taken in before; undefined when it is not known. */
  children(digest: Digest): readonly Descriptor[] | undefined;
}
