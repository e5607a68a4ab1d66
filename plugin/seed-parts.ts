/** Seeding put together from the configuration: what this node does for others, and the desk that asks them. */
import { randomUUID } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { arch } from 'node:os';
import { hostPlatform } from '../core/oci/platform.ts';
import type { Clock } from '../core/runtime/clock.ts';
import { CodedError } from '../core/runtime/errors.ts';
import type { Part } from '../core/runtime/lifecycle.ts';
import type { Logger } from '../core/runtime/log.ts';
import type { Metrics } from '../core/runtime/metrics.ts';
import type { NodeConfig } from './config.ts';
import { CriImages } from './containerd/cri-images.ts';
import type { Content } from './content/content.ts';
import type { KnownBlobs } from './content/known-blobs.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { PeerCalls } from './peer/peer.ts';
import type { LiveMembers, SwarmMember } from './providers/providers.ts';
import { FleetDesk } from './seed/desk/fleet-desk.ts';
import type { SeedMember, SeedMembers } from './seed/desk/members.ts';
import { createSeedEvents, type SeedEvents } from './seed/events.ts';
import { LeaseDesk } from './seed/lease/lease-desk.ts';
import { LocalSeeding } from './seed/node/local-seeding.ts';
import { seedingService } from './seed/relay/answer-members.ts';
import { RemoteSeeding } from './seed/relay/remote-seeding.ts';
import type { NodeSeeding, SeedDesk } from './seed/seed.ts';
import type { Store, StoreLimits } from './store/store.ts';
import type { Upstream } from './upstream/upstream.ts';

export interface SeedPartsDeps {
  readonly version: string;
  readonly store: Store;
  readonly limits: StoreLimits;
  readonly content: Content;
  readonly known: KnownBlobs;
  readonly upstream: Upstream;
  readonly fleet: Fleet | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** `parts` in the order in which they start. */
export function composeSeeding(config: NodeConfig, deps: SeedPartsDeps): { desk: SeedDesk; parts: readonly Part[] } {
  const { clock, metrics, fleet, upstream, store } = deps;
  const of = { clock, metrics, log: deps.log.child({ module: 'seed' }) };
  const events = createSeedEvents(of);
  const self = config.node.name;
  const socket = config.content.containerd;
  const runtime = socket === undefined ? undefined : new CriImages({ socket, clock });
  const sources = { store, manifests: upstream, origin: upstream.origin, clock };
  const node = new LocalSeeding(
    {
      ...{ ...of, ...sources, content: deps.content, known: deps.known },
      ...(runtime && { runtime }),
      platform: hostPlatform(arch()),
      mayHold: config.peer.mode !== 'observer',
      disk: { freeBytes: () => freeBytesOf(config.content.root), minFreeBytes: deps.limits.minFreeBytes },
    },
    events,
  );
  const live = withSelf(config, fleet?.live ?? (() => []));
  const leases = new LeaseDesk({ self, members: live, calls: fleet?.calls ?? noCalls, clock });
  const members = membersOf({ config, deps, node, live, events });
  const desk = new FleetDesk({ members, manifests: sources, leases, clock, events, newId: randomUUID });
  if (fleet !== undefined) {
    for (const service of [seedingService(node, live), leases]) fleet.answer(service);
    fleet.onLiveChange(() => desk.membersChanged());
  }
  return {
    desk,
    parts: [
      ...(runtime === undefined ? [] : [{ name: 'CRI', service: runtime }]),
      { name: 'seeding', service: node },
      { name: 'seed desk', service: desk },
    ],
  };
}

function membersOf(facts: {
  config: NodeConfig;
  deps: SeedPartsDeps;
  node: NodeSeeding;
  live: LiveMembers;
  events: SeedEvents;
}): SeedMembers {
  const { config, deps, node, live, events } = facts;
  const self = config.node.name;
  const calls = deps.fleet?.calls ?? noCalls;
  const remote = { self, calls, isSealed: deps.fleet?.isPeerSealed ?? false, events };
  let known: { readonly of: readonly SwarmMember[]; readonly members: readonly SeedMember[] } | undefined;
  const withVersions = (of: readonly SwarmMember[]) => {
    const versions = new Map(deps.fleet?.members().map(({ name, node: tag }) => [name, tag?.version]));
    return { of, members: of.map((member) => ({ ...member, version: versions.get(member.name) ?? deps.version })) };
  };
  return {
    list: () => {
      const now = live();
      if (known?.of !== now) known = withVersions(now);
      return known.members;
    },
    reach: (member, callMs) => (member.name === self ? node : new RemoteSeeding(remote, member, callMs)),
  };
}

/** Alone in its mesh, or without one, a node is its own fleet. */
function withSelf({ node, peer }: NodeConfig, live: LiveMembers): LiveMembers {
  const alone = [{ name: node.name, host: '127.0.0.1', port: 0, zone: node.zone, mode: peer.mode }];
  return () => (live().length === 0 ? alone : live());
}

const noCalls: PeerCalls = {
  call: async (peer) => {
    throw new CodedError('UNAVAILABLE', `Node "${peer.name}" cannot be asked: this node has no mesh`);
  },
};

function freeBytesOf(root: string): number {
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize;
}
