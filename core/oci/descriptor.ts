/** Descriptors (OCI image-spec, descriptor.md): what a manifest says of another blob. */
import type { Digest } from './digest.ts';

/** An index entry's platform (OCI image-spec, image-index.md). */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
  osVersion?: string;
  osFeatures?: readonly string[];
}

/** A typed pointer to a blob. `size` in bytes, zero or more, exact up to 2^53 − 1. */
export interface Descriptor {
  mediaType: string;
  digest: Digest;
  size: number;
  /** Where foreign layers may be had directly. Untrusted. */
  urls?: readonly string[];
  annotations?: Readonly<Record<string, string>>;
  platform?: Platform;
  artifactType?: string;
}
