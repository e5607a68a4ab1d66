/** The calls of a survey (`proto/shoal/peer/v1/survey.proto`), and their messages as typed values. */
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { PeerMethod } from '../peer/peer.ts';
import { digestBytes, digestIn, flagIn, messagesIn, numberIn, textIn } from '../providers/wire-fields.ts';
import { MAP_CELLS_MAX } from './piece-map.ts';
import { type MemberFacts, SWARMS_TOLD_MAX, type SwarmFacts } from './survey.ts';

const PROTO = fileURLToPath(new URL('../../proto/shoal/peer/v1/survey.proto', import.meta.url));
/** A version is a few characters; another member may send anything. */
const VERSION_CHARS_MAX = 64;

export interface SurveyMethods {
  readonly tell: PeerMethod;
  readonly reach: PeerMethod;
}

let loaded: SurveyMethods | undefined;

/** Loaded once. */
export function surveyMethods(): SurveyMethods {
  loaded ??= load();
  return loaded;
}

function load(): SurveyMethods {
  const service = loadSync(PROTO, { longs: Number, defaults: true, keepCase: true })['shoal.peer.v1.Survey'];
  const method = (name: string): PeerMethod => {
    const found = service === undefined || 'format' in service ? undefined : service[name];
    if (found === undefined) throw new Error(`survey.proto has no call "${name}"`);
    return found;
  };
  return { tell: method('Tell'), reach: method('Reach') };
}

export function writeFacts(facts: MemberFacts): object {
  return {
    version: facts.version,
    now_ms: Math.round(facts.nowMs),
    started_at_ms: Math.round(facts.startedAtMs),
    blobs: facts.blobs,
    bytes: facts.bytes,
    bytes_containerd: facts.bytesByHold.containerd,
    bytes_cache: facts.bytesByHold.cache,
    bytes_pin: facts.bytesByHold.pin,
    capacity_bytes: Math.round(facts.capacityBytes),
    free_bytes: facts.freeBytes,
    flights: facts.flights,
    bytes_from_registries: facts.bytesFromRegistries,
    bytes_from_peers: facts.bytesFromPeers,
    bytes_served: facts.bytesServed,
    swarms: facts.swarms.slice(0, SWARMS_TOLD_MAX).map((swarm) => ({
      digest: digestBytes(swarm.digest),
      size: swarm.size,
      pieces: swarm.pieces,
      pieces_here: swarm.piecesHere,
      map: swarm.map,
      leases: swarm.leases,
      bytes_from_peers: swarm.bytesFromPeers,
      bytes_from_source: swarm.bytesFromSource,
    })),
  };
}

export function readFacts(reply: object): MemberFacts {
  const number = (name: string) => numberIn(reply, name);
  return {
    version: textIn(reply, 'version').slice(0, VERSION_CHARS_MAX),
    nowMs: number('now_ms'),
    startedAtMs: number('started_at_ms'),
    blobs: number('blobs'),
    bytes: number('bytes'),
    bytesByHold: {
      containerd: number('bytes_containerd'),
      cache: number('bytes_cache'),
      pin: number('bytes_pin'),
    },
    capacityBytes: number('capacity_bytes'),
    freeBytes: number('free_bytes'),
    flights: number('flights'),
    bytesFromRegistries: number('bytes_from_registries'),
    bytesFromPeers: number('bytes_from_peers'),
    bytesServed: number('bytes_served'),
    swarms: messagesIn(reply, 'swarms', SWARMS_TOLD_MAX).flatMap((swarm) => swarmIn(swarm) ?? []),
  };
}

function swarmIn(message: object): SwarmFacts | undefined {
  const digest = digestIn(message, 'digest');
  const map = textIn(message, 'map');
  if (digest === undefined || !/^\d*$/.test(map) || map.length > MAP_CELLS_MAX) return undefined;
  return {
    digest,
    size: numberIn(message, 'size'),
    pieces: numberIn(message, 'pieces'),
    piecesHere: numberIn(message, 'pieces_here'),
    map,
    leases: numberIn(message, 'leases'),
    bytesFromPeers: numberIn(message, 'bytes_from_peers'),
    bytesFromSource: numberIn(message, 'bytes_from_source'),
  };
}

export function readReach(reply: object): { udp: boolean; tcp: boolean } {
  return { udp: flagIn(reply, 'udp'), tcp: flagIn(reply, 'tcp') };
}
