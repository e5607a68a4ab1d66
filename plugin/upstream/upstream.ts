/** Origin registries, as the heart sees them: a source of blobs and of manifests. Knows no peer and no reader. */
import type { RegistryEndpoint } from '../../core/registry/registry-client.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { BlobSource } from '../content/blob-source.ts';
import type { Manifests } from '../content/manifests.ts';
import type { Origin } from '../content/origin.ts';

export interface Upstream extends BlobSource, Manifests, Service {
  /** What is asked in the name of callers. */
  readonly origin: Origin;
  /** Takes other settings while running: what streams now ends under the old ones, and refusals are forgotten. */
  configure(options: UpstreamOptions): void;
}

/** How registries are asked. */
export interface UpstreamOptions {
  /** Registries that the operator wrote down; others are reached over https by their name. */
  readonly endpoints?: readonly RegistryEndpoint[];
  /** Names of the registries that may be asked; empty or absent = any. */
  readonly allow?: readonly string[];
  /** Blob requests at once to one registry; default 8. */
  readonly concurrency?: number;
  /** Bytes a second over all registries; absent = no limit. */
  readonly bandwidthBytesPerSecond?: number;
}
