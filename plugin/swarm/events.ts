/** What swarms tell: one function an event, so that log and counters cannot drift. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { PeerFailure } from './scoreboard.ts';

/** `taken`: accepted; `rejected`: not what others vouch for; `lost`: broken off; `spare`: came twice. */
export type PieceEnd = 'taken' | 'rejected' | 'lost' | 'spare';

export interface SwarmEvents {
  pieceEnded(from: 'peer' | 'source', end: PieceEnd): void;
  peerFailed(facts: { peer: string; digest: Digest; failure: PeerFailure; err: unknown }): void;
  banned(facts: { peer: string; digest: Digest }): void;
  ownerSilent(facts: { owner: string; digest: Digest; err: unknown }): void;
  leaseReturned(facts: { digest: Digest; piece: number; reason: string; err: unknown }): void;
  /** A piece from a peer was not kept. */
  rejected(facts: { peer: string; digest: Digest; piece: number; verdict: 'bad' | 'unknown' }): void;
  /** A piece that was kept turned out wrong before the whole was there. */
  retracted(facts: { digest: Digest; piece: number }): void;
  /** The owner says that something of this blob was wrong. */
  disputed(facts: { digest: Digest; doubted: readonly string[] }): void;
  wholeWasWrong(facts: { digest: Digest }): void;
  uploadRefused(): void;
}

export function createSwarmEvents(
  deps: { log: Logger; metrics: Metrics },
  counts: { swarms: () => number; owned: () => number },
): SwarmEvents {
  const { log, metrics } = deps;
  metrics.gauge({
    name: 'shoal_swarms',
    help: 'Swarms that this node downloads in, and that it looks after as an owner',
    labels: ['role'],
    read: () => [
      { value: counts.swarms(), labels: { role: 'member' } },
      { value: counts.owned(), labels: { role: 'owner' } },
    ],
  });
  const transfers = metrics.counter({
    name: 'shoal_piece_transfers_total',
    help: 'Pieces asked of peers and of the source, by how that ended',
    labels: ['from', 'end'],
  });
  const failures = metrics.counter({
    name: 'shoal_peer_failures_total',
    help: 'Transfers from peers that failed, by how',
    labels: ['failure'],
  });
  const bans = metrics.counter({ name: 'shoal_bans_total', help: 'Members banned for wrong bytes' });
  const refused = metrics.counter({
    name: 'shoal_uploads_refused_total',
    help: 'Ranges refused because too many are read',
  });
  const returned = metrics.counter({
    name: 'shoal_leases_returned_total',
    help: 'Leased pieces that the source did not give, by what it means for later',
    labels: ['reason'],
  });
  const retracted = metrics.counter({
    name: 'shoal_pieces_retracted_total',
    help: 'Pieces that were kept and turned out wrong before the whole was there',
  });
  return {
    pieceEnded: (from, end) => transfers.add(1, { from, end }),
    peerFailed: (facts) => {
      failures.add(1, { failure: facts.failure });
      log.debug(facts, 'Transfer from a peer failed');
    },
    banned: (facts) => {
      bans.add(1);
      log.warn(facts, 'Member is banned: it sent wrong bytes');
    },
    ownerSilent: (facts) => log.debug(facts, 'Owner of a swarm does not answer'),
    leaseReturned: ({ reason, ...facts }) => {
      returned.add(1, { reason });
      log.debug({ ...facts, reason }, 'Leased piece is given back');
    },
    rejected: (facts) => log.debug(facts, 'Piece of a peer is not kept'),
    retracted: (facts) => {
      retracted.add(1);
      log.debug(facts, 'Piece that turned out wrong is fetched again');
    },
    disputed: (facts) => log.info(facts, 'Pieces of a swarm are in dispute: only what its owner vouches for is taken'),
    wholeWasWrong: (facts) => log.warn(facts, 'Pieces of a swarm made a whole that is not the digest'),
    uploadRefused: () => refused.add(1),
  };
}
