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
import type { Fleet } from './fleet/fleet.ts';
import { createMirror } from './mirror/create-mirror.ts';
import type { MirrorRules, TagMemory } from './mirror/mirror.ts';
import type { Store } from './store/store.ts';
import { createTagMemory } from './tag-memory.ts';
import { createTagSharing } from './tag-sharing/tag-sharing.ts';
import type { Upstream } from './upstream/upstream.ts';

export interface MirrorPartsDeps {
  readonly store: Store;
  readonly content: Content;
  readonly known: KnownBlobs;
  readonly upstream: Pick<Upstream, 'origin'>;
  /** undefined = this node is alone. */
  readonly fleet: Pick<Fleet, 'live' | 'calls' | 'isPeerSealed' | 'answer'> | undefined;
  /** Numbers from 0 to just below 1. */
  random(): number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface MirrorParts {
  /** In the order in which they start; none when `mirror.listen` is off. */
  readonly parts: readonly Part[];
  /** What the mirror serves while a registry is away; undefined when it is off. */
  readonly tags: TagMemory | undefined;
  /** Takes over what can change while it runs. */
  configure(config: NodeConfig): void;
}

export function composeMirror(config: NodeConfig, deps: MirrorPartsDeps): MirrorParts {
  const { node, mirror } = config;
  const { listen } = mirror;
  if (listen === undefined) return { parts: [], tags: undefined, configure: () => undefined };
  const { store, content, known, clock, metrics } = deps;
  const log = deps.log.child({ module: 'mirror' });
  const own = createTagMemory({ clock, log }, { file: join(node.dataDir, 'tags.json') });
  const tags = sharedTags(node.name, own, deps);
  const manifests = createKeptManifests({ store, known, content, clock });
  const service = createMirror(
    { content, manifests, known, origin: deps.upstream.origin, tags, clock, log, metrics },
    { listen, ...rulesOf(config), names: [node.name] },
  );
  return {
    parts: [
      { name: 'tag memory', service: own },
      { name: 'mirror', service },
    ],
    tags,
    configure: (changed) => service.configure(rulesOf(changed)),
  };
}

/** A path may name a registry only when the operator has: its dots are no proof that it is one. */
function rulesOf({ mirror, upstream }: NodeConfig): MirrorRules {
  const { authorize, staleTags } = mirror;
  return { authorize, staleTags, pathRegistries: [...upstream.registries.map(({ host }) => host), ...upstream.allow] };
}

/** Others' words count where the peer port knows who speaks: without TLS anybody near could move a tag while its registry is away. */
function sharedTags(self: string, own: TagMemory, { fleet, clock, random }: MirrorPartsDeps): TagMemory {
  if (fleet === undefined || !fleet.isPeerSealed) return own;
  const tags = createTagSharing({ self, members: fleet.live, calls: fleet.calls, own, clock, random });
  fleet.answer(tags);
  return tags;
}
