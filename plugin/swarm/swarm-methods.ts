/** The calls between members of a swarm (`proto/shoal/peer/v1/swarm.proto`), loaded once. */
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { PeerMethod } from '../peer/peer.ts';

const PROTO = fileURLToPath(new URL('../../proto/shoal/peer/v1/swarm.proto', import.meta.url));

export interface SwarmMethods {
  readonly coordinate: PeerMethod;
  readonly exchange: PeerMethod;
  readonly nameWriter: PeerMethod;
}

let loaded: SwarmMethods | undefined;

export function swarmMethods(): SwarmMethods {
  loaded ??= load();
  return loaded;
}

function load(): SwarmMethods {
  const service = loadSync(PROTO, { longs: Number, defaults: true })['shoal.peer.v1.Swarm'];
  const method = (name: string): PeerMethod => {
    const found = service === undefined || 'format' in service ? undefined : service[name];
    if (found === undefined) throw new Error(`swarm.proto has no call "${name}"`);
    return found;
  };
  return { coordinate: method('Coordinate'), exchange: method('Exchange'), nameWriter: method('NameWriter') };
}
