/** Tells rumours to a few random members, again and again. The dead are told for a while too, so that they can object. */
import { type MemberRecord, isGone } from '../members/member-record.ts';
import type { Rounds } from '../members/rounds.ts';
import type { Timings } from '../presets.ts';
import { receiverOf } from '../probing/receivers.ts';
import { Ticker } from '../probing/ticker.ts';
import type { Scheduler } from '../scheduler.ts';
import type { PacketSender } from './packet-sender.ts';
import type { Rumours } from './rumours.ts';

export interface GossiperDeps {
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly rounds: Rounds;
  readonly sender: PacketSender;
  readonly rumours: Rumours;
  readonly timings: Timings;
}

export class Gossiper {
  readonly #deps: GossiperDeps;
  readonly #ticker: Ticker;

  constructor(deps: GossiperDeps) {
    this.#deps = deps;
    const { scheduler, random, timings } = deps;
    this.#ticker = new Ticker({
      scheduler,
      random,
      intervalMs: () => timings.gossipIntervalMs,
      run: () => this.#tick(),
    });
  }

  start(): void {
    this.#ticker.start();
  }

  stop(): void {
    this.#ticker.stop();
  }

  #tick(): void {
    const { rounds, sender, rumours, timings } = this.#deps;
    if (rumours.size === 0) return;
    for (const record of rounds.pick(timings.gossipFanout, (candidate) => this.#isWorthTelling(candidate))) {
      if (!sender.gossip(receiverOf(record))) return;
    }
  }

  #isWorthTelling(record: MemberRecord): boolean {
    if (!isGone(record)) return true;
    const goneMs = this.#deps.scheduler.nowMs() - record.sinceMs;
    return record.state === 'dead' && goneMs <= this.#deps.timings.gossipToTheDeadMs;
  }
}
