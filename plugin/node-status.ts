/** What a node says of itself, gathered from its parts' memory. */
import { statfsSync } from 'node:fs';
import { formatHostPort } from '../core/runtime/config-address.ts';
import type { NodeStatus } from './admin/admin.ts';
import type { NodeConfig } from './config.ts';
import type { Containerd } from './containerd/containerd.ts';
import type { Claims } from './content-api/claims.ts';
import type { Content } from './content/content.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { BlobReader, Hold, PinStore } from './store/blob-store.ts';

export interface NodeStatusDeps {
  readonly config: NodeConfig;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** Bytes that the cache may take of the disk. */
  readonly capacityBytes: number;
  readonly store: Pick<BlobReader, 'list'> & Pick<PinStore, 'pins'>;
  readonly claims: Pick<Claims, 'claims'>;
  readonly content: Pick<Content, 'flights'>;
  readonly containerd: Pick<Containerd, 'isReachable'> | undefined;
  readonly fleet: Pick<Fleet, 'members' | 'banned' | 'peerAddress' | 'hasKey' | 'troubles'> | undefined;
}

export function nodeStatus(deps: NodeStatusDeps): NodeStatus {
  const { node, content } = deps.config;
  const { bavail, bsize } = statfsSync(content.root);
  return {
    name: node.name,
    zone: node.zone,
    version: deps.version,
    startedAtMs: deps.startedAtMs,
    content: {
      socket: content.socket,
      root: content.root,
      claim: content.claim,
      containerd: deps.containerd === undefined ? 'off' : deps.containerd.isReachable() ? 'reachable' : 'unreachable',
    },
    store: { ...storeBytes(deps.store), capacityBytes: deps.capacityBytes, freeBytes: bavail * bsize },
    ...pinsOf(deps.store),
    claims: [...deps.claims.claims()].length,
    flights: [...deps.content.flights()].length,
    mesh: deps.fleet && meshStatus(deps.config, deps.fleet),
  };
}

function pinsOf(store: Pick<PinStore, 'pins'>): Pick<NodeStatus, 'pins'> {
  const ends = [...store.pins()].map(({ untilMs }) => untilMs);
  if (ends.length === 0) return {};
  return { pins: { count: ends.length, lastUntilMs: ends.reduce((a, b) => Math.max(a, b)) } };
}

function meshStatus(
  { mesh }: NodeConfig,
  fleet: Pick<Fleet, 'members' | 'banned' | 'peerAddress' | 'hasKey' | 'troubles'>,
) {
  const members: Record<string, number> = {};
  for (const { state } of fleet.members()) members[state] = (members[state] ?? 0) + 1;
  const peer = fleet.peerAddress();
  return {
    hasKey: fleet.hasKey,
    isInsecure: mesh.insecure,
    bind: formatHostPort(mesh.bind),
    peer: peer && formatHostPort(peer),
    members,
    banned: fleet.banned(),
    ...fleet.troubles(),
  };
}

/** Each blob counts once in the whole, and once for each of its holds. */
export function storeBytes(store: Pick<BlobReader, 'list'>) {
  const bytesByHold: Record<Hold, number> = { containerd: 0, cache: 0, pin: 0 };
  let blobs = 0;
  let bytes = 0;
  for (const blob of store.list()) {
    blobs += 1;
    bytes += blob.size;
    for (const hold of blob.holds) bytesByHold[hold] += blob.size;
  }
  return { blobs, bytes, bytesByHold };
}
