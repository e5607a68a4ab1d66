/**
 * Images in archives, into the store and out of it: `docker save` of any age, and OCI layouts as tar. Bytes stream through and are
 * proven on their way; what an archive says of itself is never believed. Knows neither sockets nor paths of files.
 */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Reference } from '../../core/oci/reference.ts';

/** What is told while an archive is read. */
export type ImportStep =
  | {
      readonly kind: 'blob';
      readonly digest: Digest;
      readonly size: number;
      /** Its name in the archive. */
      readonly entry: string;
      /** False: it was here before. */
      readonly isNew: boolean;
    }
  | {
      readonly kind: 'image';
      /** Every name that the archive gives it, in full; none for a nameless one. */
      readonly names: readonly string[];
      readonly descriptor: Descriptor;
      /** Blobs that it has here, itself included. */
      readonly blobs: number;
      readonly bytes: number;
    };

export interface ImportOptions {
  /** Names the archive's only image, in place of what the archive says. */
  readonly name?: Reference;
  /** Kept at least until then, milliseconds since the epoch. */
  readonly pinUntilMs?: number;
  readonly signal: AbortSignal;
}

/** Reads an archive, plain or packed with gzip or zstd. */
export type Import = (archive: AsyncIterable<Uint8Array>, options: ImportOptions) => AsyncIterable<ImportStep>;

export interface ExportRequest {
  readonly reference: Reference;
  /** `os/arch[/variant]`; undefined = this node's own. */
  readonly platform: string | undefined;
}

/** Brings an image here whole, then gives it as a tar archive that docker, containerd, podman and skopeo read. */
export type Export = (request: ExportRequest, options: { signal: AbortSignal }) => AsyncIterable<Uint8Array>;
