/** The mirror and what it remembers, from the node's configuration. */
import { join } from 'node:path';
import type { Clock } from '../core/runtime/clock.ts';
import type { Part } from '../core/runtime/lifecycle.ts';
import type { Logger } from '../core/runtime/log.ts';
import type { Metrics } from '../core/runtime/metrics.ts';
import type { NodeConfig } from './config.ts';
import type { Content } from './content/content.ts';
import { createKeptManifests } from './content/create-kept-manifests.ts';
import type { KnownBlobs } from './content/known-blobs.ts';
import { createMirror } from './mirror/create-mirror.ts';
import type { Store } from './store/store.ts';
import { createTagMemory } from './tag-memory.ts';
import type { Upstream } from './upstream/upstream.ts';

export interface MirrorPartsDeps {
  readonly store: Store;
  readonly content: Content;
  readonly known: KnownBlobs;
  readonly upstream: Pick<Upstream, 'origin'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** In the order in which they start; none when `mirror.listen` is off. */
export function composeMirror({ node, mirror, upstream }: NodeConfig, deps: MirrorPartsDeps): Part[] {
  const { listen, authorize, staleTags } = mirror;
  if (listen === undefined) return [];
  const { store, content, known, clock, metrics } = deps;
  const log = deps.log.child({ module: 'mirror' });
  const tags = createTagMemory({ clock, log }, { file: join(node.dataDir, 'tags.json') });
  const manifests = createKeptManifests({ store, known, content, clock });
  // A path may name a registry only when the operator has: its dots are no proof that it is one.
  const pathRegistries = [...upstream.registries.map(({ host }) => host), ...upstream.allow];
  const service = createMirror(
    { content, manifests, known, origin: deps.upstream.origin, tags, clock, log, metrics },
    { listen, authorize, staleTags, pathRegistries, names: [node.name] },
  );
  return [
    { name: 'tag memory', service: tags },
    { name: 'mirror', service },
  ];
}
