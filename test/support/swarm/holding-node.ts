/** A node without a network: its handlers and uploads can be asked. */
import { type Digest, digestOf } from '../../../core/oci/digest.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { noMetrics } from '../../../core/runtime/metrics.ts';
import { ManualClock } from '../../../plugin/content/fakes/manual-clock.ts';
import { createProviders } from '../../../plugin/providers/create-providers.ts';
import { createSwarm } from '../../../plugin/swarm/create-swarm.ts';
import type { LocalBlob } from '../../../plugin/swarm/swarm.ts';

export const HELD = digestOf('held');
/** No piece is like another. */
export const BYTES = Buffer.from(Array.from({ length: 250 }, (_, at) => at));

/** The node `me`, which holds one blob whole in pieces of 100 bytes; `peer` is a member that nobody can call. */
export function createHoldingNode() {
  const clock = new ManualClock();
  const nowhere = async (): Promise<never> => {
    throw new CodedError('UNAVAILABLE', 'Nobody there');
  };
  const members = () => ['me', 'peer'].map((name) => ({ name, host: name, port: 1, zone: '', mode: 'full' as const }));
  const peers = { self: 'me', members, calls: { call: nowhere }, ranges: { readRange: nowhere } };
  const providers = createProviders({ ...peers, clock, random: () => 0.5, metrics: noMetrics });
  const blob: LocalBlob = {
    state: 'whole',
    size: BYTES.length,
    missing: () => undefined,
    open: async () => ({ read: async (into, offset) => BYTES.copy(into, 0, offset), close: async () => undefined }),
  };
  const origin = {
    route: () => 'no' as const,
    prepare: () => undefined,
    settled: async () => undefined,
    fetch: nowhere,
  };
  const local = { look: (digest: Digest) => (digest === HELD ? blob : undefined) };
  const deps = { ...peers, providers, local, origin, clock, random: () => 0.5, log: silentLogger, metrics: noMetrics };
  return { providers, swarm: createSwarm(deps, { pieceSizeFor: () => 100, uploadsMax: 2 }) };
}
