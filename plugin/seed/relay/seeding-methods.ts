/** The calls between members about seeding (`proto/shoal/peer/v1/seeding.proto`), loaded once. */
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { PeerMethod } from '../../peer/peer.ts';

const PROTO = fileURLToPath(new URL('../../../proto/shoal/peer/v1/seeding.proto', import.meta.url));

export interface SeedingMethods {
  readonly startSeed: PeerMethod;
  readonly watchSeed: PeerMethod;
  readonly cancelSeed: PeerMethod;
  readonly presence: PeerMethod;
  readonly facts: PeerMethod;
  readonly lease: PeerMethod;
  readonly shareLease: PeerMethod;
}

let loaded: SeedingMethods | undefined;

export function seedingMethods(): SeedingMethods {
  loaded ??= load();
  return loaded;
}

function load(): SeedingMethods {
  const service = loadSync(PROTO, { longs: Number, defaults: true })['shoal.peer.v1.Seeding'];
  const method = (name: string): PeerMethod => {
    const found = service === undefined || 'format' in service ? undefined : service[name];
    if (found === undefined) throw new Error(`seeding.proto has no call "${name}"`);
    return found;
  };
  return {
    startSeed: method('StartSeed'),
    watchSeed: method('WatchSeed'),
    cancelSeed: method('CancelSeed'),
    presence: method('Presence'),
    facts: method('Facts'),
    lease: method('Lease'),
    shareLease: method('ShareLease'),
  };
}
