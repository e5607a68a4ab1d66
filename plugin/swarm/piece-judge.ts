/** Whether a piece from a peer is kept: one that its sender had from others is held back until someone else vouches for it. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Acceptance, Verdict } from './acceptance.ts';
import type { PieceEnd, SwarmEvents } from './events.ts';
import type { PieceLedger } from './piece-ledger.ts';
import type { Scoreboard } from './scoreboard.ts';
import type { Vouch } from './vouch-table.ts';

/** A piece that nobody else vouches for is held back so long, milliseconds. */
const HOLD_BACK_MS = 2_000;
/** After so many senders of a piece that nobody vouches for, the last one is believed: the whole digest will tell. */
const UNVOUCHED_MAX = 3;
const OVER = new CodedError('CANCELLED', 'Wait is over');

export interface PieceJudgeDeps {
  readonly want: { readonly digest: Digest };
  readonly events: SwarmEvents;
  readonly acceptance: Acceptance;
  readonly ledger: PieceLedger;
  readonly scoreboard: Scoreboard;
  readonly clock: Clock;
  readonly random: () => number;
  /** Members whose word is enough at first: what one of them sends is passed on at it. */
  readonly hasWitnesses: () => boolean;
  readonly onVouch: (vouch: Vouch) => void;
  readonly onVouchWanted: () => void;
}

export interface ArrivedPiece {
  readonly piece: number;
  readonly sha256: string;
  readonly from: string;
  /** Its sender says that it has the proven whole, or that its containerd writes it: nobody passed it on to that one. */
  readonly isWitness: boolean;
}

/** Not kept, and why; or kept, and who answers for it: empty when that is not known. */
export type Judged = { readonly end: PieceEnd } | { readonly end?: undefined; readonly witness: string };

export class PieceJudge {
  readonly #deps: PieceJudgeDeps;
  /** Pieces that nobody vouched for in time, by how often. */
  readonly #unvouched = new Map<number, number>();

  constructor(deps: PieceJudgeDeps) {
    this.#deps = deps;
  }

  async judge(arrived: ArrivedPiece, signal: AbortSignal): Promise<Judged> {
    const { acceptance, onVouch } = this.#deps;
    const { piece, sha256, from, isWitness } = arrived;
    const known = acceptance.check(piece, sha256, from);
    // Also where others vouch for something else: the owner has it settled.
    if (known !== 'good' && isWitness) onVouch({ piece, sha256, witness: from });
    if (known === 'unknown' && isWitness && !acceptance.isStrict) return { witness: from };
    const verdict = known === 'unknown' ? await this.#heldBack(arrived, signal) : known;
    if (signal.aborted) return { end: 'lost' };
    const isKept = verdict === 'good' || (verdict === 'unknown' && this.#mayBelieve(arrived));
    if (!isKept) this.#deps.events.rejected({ peer: from, digest: this.#deps.want.digest, piece, verdict });
    if (verdict === 'bad') return this.#rejectBad(arrived);
    if (!isKept) {
      this.#reject(arrived, isWitness);
      return { end: 'rejected' };
    }
    return { witness: isWitness ? from : acceptance.witness(piece, sha256) };
  }

  async #heldBack({ piece, sha256, from }: ArrivedPiece, signal: AbortSignal): Promise<Verdict> {
    const { acceptance, clock, onVouchWanted } = this.#deps;
    const untilMs = clock.monotonicMs() + HOLD_BACK_MS;
    let verdict: Verdict = 'unknown';
    while (verdict === 'unknown' && clock.monotonicMs() < untilMs && !signal.aborted) {
      onVouchWanted();
      const waited = new AbortController();
      const limit = clock.sleep(untilMs - clock.monotonicMs(), { signal: AbortSignal.any([signal, waited.signal]) });
      await Promise.race([acceptance.heard(), limit.catch(() => undefined)]);
      waited.abort(OVER);
      verdict = acceptance.check(piece, sha256, from);
    }
    return verdict;
  }

  /** Others vouch for something else. Where witnesses differ, or may, one that only passed it on could not know better. */
  #rejectBad(arrived: ArrivedPiece): Judged {
    const { acceptance, scoreboard, clock, random } = this.#deps;
    const { piece, from, isWitness } = arrived;
    const vouch = acceptance.vouch(piece);
    const couldKnow = !acceptance.isStrict && vouch?.isContested !== true && !this.#deps.hasWitnesses();
    this.#reject(arrived, isWitness || couldKnow);
    // One in good faith hears of it soon, and has the right one then.
    const failure = isWitness || couldKnow ? 'wrong' : 'missing';
    scoreboard.failed(from, failure, { nowMs: clock.monotonicMs(), random });
    return { end: 'rejected' };
  }

  #reject({ piece, from, sha256 }: ArrivedPiece, isAccountable: boolean): void {
    const witness = isAccountable ? from : '';
    this.#deps.ledger.rejected(piece, { sender: from, sha256, witness, isAccountable });
  }

  /** Once something was wrong, only a witness that was not part of it. */
  #mayBelieve({ piece, from, isWitness }: ArrivedPiece): boolean {
    const count = (this.#unvouched.get(piece) ?? 0) + 1;
    this.#unvouched.set(piece, count);
    const { acceptance, ledger } = this.#deps;
    return count >= UNVOUCHED_MAX && (!acceptance.isStrict || (isWitness && !ledger.isSuspect(from)));
  }
}
