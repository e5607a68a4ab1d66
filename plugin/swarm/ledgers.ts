/** Ledgers of the blobs that are not proven yet, and who was banned by them. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { SwarmEvents } from './events.ts';
import { PieceLedger } from './piece-ledger.ts';

/** Blobs whose senders are remembered; the oldest goes first. */
const LEDGERS_MAX = 256;
/** A ban lasts so long: a disk may have been replaced by then, milliseconds. */
export const BAN_MS = 60 * 60_000;
/** Bans kept; beyond that the oldest ends. */
const BANS_MAX = 10_000;

export class Ledgers {
  readonly #self: string;
  readonly #clock: Clock;
  readonly #events: SwarmEvents;
  readonly #ledgers = new Map<Digest, PieceLedger>();
  readonly #bans = new Map<string, number>();

  constructor(deps: { self: string; clock: Clock; events: SwarmEvents }) {
    this.#self = deps.self;
    this.#clock = deps.clock;
    this.#events = deps.events;
  }

  of(digest: Digest): PieceLedger {
    const known = this.#ledgers.get(digest);
    if (known !== undefined) return known;
    dropOldest(this.#ledgers, LEDGERS_MAX);
    const ledger = new PieceLedger(this.#self);
    this.#ledgers.set(digest, ledger);
    return ledger;
  }

  /** The blob is proven: whoever sent wrong pieces of it is banned. */
  proven(digest: Digest): void {
    for (const liar of this.#ledgers.get(digest)?.proven() ?? []) this.ban(liar, digest);
    this.#ledgers.delete(digest);
  }

  wholeWasWrong(digest: Digest): void {
    this.#ledgers.get(digest)?.wholeWasWrong();
  }

  ban(name: string, digest: Digest): void {
    if (this.isBanned(name)) return;
    dropOldest(this.#bans, BANS_MAX);
    this.#bans.set(name, this.#clock.monotonicMs() + BAN_MS);
    this.#events.banned({ peer: name, digest });
  }

  isBanned(name: string): boolean {
    return (this.#bans.get(name) ?? 0) > this.#clock.monotonicMs();
  }

  banned(): string[] {
    return [...this.#bans.keys()].filter((name) => this.isBanned(name));
  }
}

function dropOldest(map: Map<unknown, unknown>, max: number): void {
  const [oldest] = map.keys();
  if (map.size >= max && oldest !== undefined) map.delete(oldest);
}
