/** What nodes have counted since a moment; of one that was killed, up to its end. */
import type { FleetNode, NodeMetrics } from './fleet-node.ts';

export type Counted = Pick<NodeMetrics, 'upstreamBytes' | 'peerBytesReceived' | 'peerBytesSent' | 'bans'>;

export interface NodeMeter {
  /** Counts from now on. */
  begin(): Promise<void>;
  /** Keeps what a node has counted so far, before it ends. */
  keep(node: FleetNode): Promise<void>;
  /** Since `begin`. */
  read(): Promise<ReadonlyMap<string, Counted>>;
}

const NOTHING: Counted = { upstreamBytes: 0, peerBytesReceived: 0, peerBytesSent: 0, bans: 0 };

export function createNodeMeter(nodes: readonly FleetNode[]): NodeMeter {
  const before = new Map<string, Counted>();
  const last = new Map<string, Counted>();
  const keep = async (node: FleetNode) => {
    if (node.isRunning()) last.set(node.name, await node.metrics());
  };
  return {
    keep,
    begin: async () => {
      await Promise.all(nodes.map(keep));
      for (const [name, counted] of last) before.set(name, counted);
    },
    read: async () => {
      await Promise.all(nodes.map(keep));
      return new Map([...last].map(([name, counted]) => [name, minus(counted, before.get(name) ?? NOTHING)]));
    },
  };
}

function minus(after: Counted, before: Counted): Counted {
  return {
    upstreamBytes: after.upstreamBytes - before.upstreamBytes,
    peerBytesReceived: after.peerBytesReceived - before.peerBytesReceived,
    peerBytesSent: after.peerBytesSent - before.peerBytesSent,
    bans: after.bans - before.bans,
  };
}
