/** A claim keeper among fakes, with one image whose manifest is on this disk. */
import { type Digest, digestOf } from '../../../../core/oci/digest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../../core/oci/media-types.ts';
import type { Clock } from '../../../../core/runtime/clock.ts';
import { silentLogger } from '../../../../core/runtime/log.ts';
import { createMetrics } from '../../../../core/runtime/metrics.ts';
import type { Claims } from '../../claims.ts';
import { type ClaimKeeperOptions, createClaimKeeper } from '../claim-keeper.ts';
import { FakeClaimStore } from './fake-claim-store.ts';
import { FakeContainerd } from './fake-containerd.ts';
import { FakeFetcher } from './fake-fetcher.ts';
import { FakeKnownBlobs } from './fake-known-blobs.ts';

export const LAYER = digestOf('layer');
export const LAYER_SIZE = 1000;
export const CONFIG = digestOf('config');

/** An image manifest that names `CONFIG` and `LAYER`. */
export const MANIFEST_TEXT = JSON.stringify({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: { mediaType: OCI_CONFIG, digest: CONFIG, size: 10 },
  layers: [{ mediaType: OCI_LAYER_GZIP, digest: LAYER, size: LAYER_SIZE }],
});
export const MANIFEST = digestOf(MANIFEST_TEXT);
export const MANIFEST_REF = `k8s.io/7/manifest-${MANIFEST}`;
export const NGINX_LABEL = { 'containerd.io/distribution.source.docker.io': 'library/nginx' };
export const NGINX = { registry: 'docker.io', repository: 'library/nginx' };

export interface ClaimWorld {
  readonly store: FakeClaimStore;
  readonly content: FakeFetcher;
  readonly known: FakeKnownBlobs;
  readonly containerd: FakeContainerd;
  readonly claims: Claims;
  /** The value of a counter, e.g. `shoal_claims_total{answer="no"}`. */
  count(metric: string): Promise<number>;
  /** Another daemon over the same disk and containerd, with a new memory. */
  restarted(): ClaimWorld;
}

export interface ClaimWorldOptions extends ClaimKeeperOptions {
  hasNoContainerd?: boolean;
}

export function createClaimWorld(clock: Clock, options: ClaimWorldOptions = {}): ClaimWorld {
  return worldOf({ clock, options, store: new FakeClaimStore(), containerd: new FakeContainerd() });
}

interface Ground {
  clock: Clock;
  options: ClaimWorldOptions;
  store: FakeClaimStore;
  containerd: FakeContainerd;
}

function worldOf(ground: Ground): ClaimWorld {
  const { clock, options, store, containerd } = ground;
  const content = new FakeFetcher(clock);
  const known = new FakeKnownBlobs();
  const metrics = createMetrics({ process: false });
  const socket = options.hasNoContainerd ? {} : { containerd };
  const deps = { claimStore: store, store, content, known, clock, metrics, log: silentLogger, ...socket };
  const claims = createClaimKeeper(deps, options);
  const count = async (metric: string) => {
    const { text } = await metrics.scrape();
    const line = text.split('\n').find((each) => each.startsWith(`${metric} `));
    return Number(line?.slice(metric.length + 1) ?? 0);
  };
  return { store, content, known, containerd, claims, count, restarted: () => worldOf(ground) };
}

/** A layer known from its manifest, with a route. */
export function knowLayer(world: ClaimWorld, digest: Digest = LAYER): void {
  world.known.blobs.set(digest, { size: LAYER_SIZE, role: 'layer', mediaType: OCI_LAYER_GZIP });
  world.known.learnSource(digest, NGINX);
  world.content.setRoute(digest, 'yes');
}
