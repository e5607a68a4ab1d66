/** Taking pieces back that were accepted and turned out wrong before the whole was there. */
import type { FlightSink } from '../content/blob-source.ts';
import type { Acceptance } from './acceptance.ts';
import type { SwarmEvents } from './events.ts';
import type { PieceLedger } from './piece-ledger.ts';
import { type PiecePlan, rangeOf } from './piece-plan.ts';
import type { PieceSet } from './piece-set.ts';
import type { Vouch } from './vouch-table.ts';

/** A piece is taken back so often; an owner that contradicts itself is not followed for ever. */
const TIMES_MAX = 2;

export interface RetractionDeps {
  readonly events: Pick<SwarmEvents, 'retracted'>;
  readonly sink: FlightSink;
  readonly plan: PiecePlan;
  readonly mine: PieceSet;
  readonly acceptance: Acceptance;
  readonly ledger: PieceLedger;
}

export class Retraction {
  readonly #deps: RetractionDeps;
  readonly #times = new Map<number, number>();
  readonly #running = new Map<number, Promise<void>>();

  constructor(deps: RetractionDeps) {
    this.#deps = deps;
  }

  /** Some piece is about to be missing again. */
  get isRunning(): boolean {
    return this.#running.size > 0;
  }

  /** What the owner vouches for now, and whom it doubts: it counts against what is here when witnesses differed, or a whole was wrong. */
  async heard(vouches: readonly Vouch[], doubted: readonly string[]): Promise<void> {
    const { acceptance, ledger } = this.#deps;
    const decided = vouches.filter(({ isContested }) => acceptance.isStrict || isContested === true);
    const refuted = decided.flatMap(({ piece, sha256 }) => ledger.refute(piece, sha256));
    await this.#retract(new Set([...refuted, ...doubted.flatMap((name) => ledger.doubt(name))]));
  }

  /** What this node fetched itself. Resolves when nothing refuted is here any more. */
  async fetched(piece: number, sha256: string): Promise<void> {
    await this.#retract(new Set(this.#deps.ledger.refute(piece, sha256)));
  }

  async #retract(pieces: ReadonlySet<number>): Promise<void> {
    await Promise.all([...pieces].map((piece) => this.#take(piece)));
  }

  async #take(piece: number): Promise<void> {
    const { plan, mine, acceptance, ledger, sink } = this.#deps;
    const times = this.#times.get(piece) ?? 0;
    const running = this.#running.get(piece);
    if (running !== undefined) return running;
    const isSure = acceptance.vouch(piece)?.sha256 === ledger.acceptedOf(piece);
    if (isSure || times >= TIMES_MAX || !mine.has(piece) || !sink.forget) return;
    this.#times.set(piece, times + 1);
    this.#deps.events.retracted({ digest: sink.digest, piece });
    const taken = sink
      .forget(rangeOf(plan, piece))
      .then(() => {
        mine.remove(piece);
        ledger.dropped(piece);
      })
      .finally(() => this.#running.delete(piece));
    this.#running.set(piece, taken);
    return taken;
  }
}
