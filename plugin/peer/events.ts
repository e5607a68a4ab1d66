/** What the peer port tells: one function an event. Nothing of a key or a message's content is told. */
import type { Clock } from '../../core/runtime/clock.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';

/** Why a connection or a request was refused. */
export type RefusalReason =
  | 'not_a_member'
  | 'hung_up'
  | 'bad_request'
  | 'pipelined'
  | 'too_many_connections'
  | 'too_many_requests'
  | 'slow'
  | 'idle';

export interface PeerEvents {
  listening(facts: { host: string; port: number; tls: boolean }): void;
  /** There is neither key nor `insecure`. */
  loopbackOnly(facts: { wanted: string }): void;
  refused(reason: RefusalReason, facts: { peer: string; err?: unknown }): void;
  /** The other side says that we are no member, or is none for us. */
  notTrusted(facts: { peer: string; err: unknown }): void;
  callFailed(facts: { peer: string; path: string; err: unknown }): void;
  rangeFailed(facts: { peer: string; err: unknown }): void;
  identityChanged(facts: { kind: string; removed: number; closed: number }): void;
  failed(facts: { what: string; err: unknown }): void;
  sent(bytes: number): void;
  received(bytes: number): void;
}

/** A whole fleet may knock with an old key: one line for so long, with how many there were. */
const REFUSALS_EVERY_MS = 60_000;

export function createPeerEvents(deps: {
  log: Logger;
  metrics: Metrics;
  clock: Clock;
  connections: () => { accepted: number; outgoing: number };
}): PeerEvents {
  const { log, metrics, clock } = deps;
  const bytes = metrics.counter({
    name: 'shoal_peer_bytes_total',
    help: 'Bytes of blobs sent to and received from other nodes',
    labels: ['direction'],
  });
  const refusals = metrics.counter({
    name: 'shoal_peer_refusals_total',
    help: 'Connections and requests of others that were refused',
    labels: ['reason'],
  });
  metrics.gauge({
    name: 'shoal_peer_connections',
    help: 'Open connections of the peer port',
    labels: ['direction'],
    read: () => Object.entries(deps.connections()).map(([direction, value]) => ({ value, labels: { direction } })),
  });
  const outsiders = seldom(clock, (facts) => log.warn(facts, 'Connection refused: no valid certificate of this mesh'));
  // One that trusts us as little as we trust it goes as soon as it has seen our certificate.
  const hangUps = seldom(clock, (facts) =>
    log.info(facts, 'Connection ended before its certificate was judged: another key, or no longer needed'),
  );
  const distrust = seldom(clock, (facts) =>
    log.warn(facts, 'Peer and this node do not trust each other: compare their keys and clocks'),
  );
  return {
    listening: (facts) => log.info(facts, 'Peer port listens'),
    loopbackOnly: (facts) =>
      log.warn(facts, 'Peer port listens on loopback only: there is no mesh key, and insecure is not set'),
    refused(reason, facts) {
      refusals.add(1, { reason });
      if (reason === 'not_a_member') outsiders(facts);
      else if (reason === 'hung_up') hangUps(facts);
      else log.debug({ ...facts, reason }, 'Peer was refused');
    },
    notTrusted: distrust,
    callFailed: (facts) => log.error(facts, 'Control call failed unforeseen'),
    rangeFailed: (facts) => log.debug(facts, 'Range was not sent whole'),
    identityChanged: (facts) => log.info(facts, 'Peer port took other keys or certificates'),
    failed: (facts) => log.error(facts, 'Peer port failed in the background'),
    sent: (count) => bytes.add(count, { direction: 'sent' }),
    received: (count) => bytes.add(count, { direction: 'received' }),
  };
}

/** Tells the first at once, then one for each period. */
function seldom<Facts extends object>(clock: Clock, tell: (facts: Facts & { times: number }) => void) {
  let times = 0;
  let toldAtMs: number | undefined;
  return (facts: Facts) => {
    times += 1;
    const nowMs = clock.monotonicMs();
    if (toldAtMs !== undefined && nowMs - toldAtMs < REFUSALS_EVERY_MS) return;
    tell({ ...facts, times });
    toldAtMs = nowMs;
    times = 0;
  };
}
