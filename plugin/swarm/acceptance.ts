/**
 * Whether a piece that came is believed: the owner's vouch decides; without one, a neighbour's other than the sender. What this
 * node fetched from the source itself needs nobody. All of it only keeps wrong bytes from spreading: truth is the whole digest.
 */
import type { Vouch } from './vouch-table.ts';

export type Verdict = 'good' | 'bad' | 'unknown';

/** Rumours kept of one piece. */
const RUMOURS_MAX = 16;

export class Acceptance {
  readonly #owner = new Map<number, Vouch>();
  /** piece → neighbour → what it accepted */
  readonly #rumours = new Map<number, Map<string, Vouch>>();
  readonly #pieceCount: number;
  readonly #isSuspect: (name: string) => boolean;
  #waiting = new Set<() => void>();
  /** A whole was wrong: only the owner's word counts. */
  isStrict = false;

  /** @param isSuspect its word was refuted: it counts for nothing, whoever passes it on */
  constructor(pieceCount: number, isSuspect: (name: string) => boolean) {
    this.#pieceCount = pieceCount;
    this.#isSuspect = isSuspect;
  }

  fromOwner(vouches: readonly Vouch[]): void {
    for (const vouch of vouches) if (vouch.piece < this.#pieceCount) this.#owner.set(vouch.piece, vouch);
    if (vouches.length > 0) this.#wake();
  }

  fromNeighbour(name: string, vouches: readonly Vouch[]): void {
    for (const vouch of vouches) {
      if (vouch.piece >= this.#pieceCount) continue;
      const rumours = this.#rumours.get(vouch.piece) ?? new Map<string, Vouch>();
      this.#rumours.set(vouch.piece, rumours);
      if (rumours.size < RUMOURS_MAX || rumours.has(name)) rumours.set(name, vouch);
    }
    if (vouches.length > 0) this.#wake();
  }

  /** Another owner, or a dispute: what the owner said is heard anew. */
  forgetOwner(): void {
    this.#owner.clear();
  }

  /** A piece from the sender is not kept: what that one said of it counts no more. */
  forgetRumour(piece: number, name: string): void {
    this.#rumours.get(piece)?.delete(name);
  }

  vouch(piece: number): Vouch | undefined {
    return this.#owner.get(piece);
  }

  /** Who answers for these bytes, as far as is known; empty when it is not. */
  witness(piece: number, sha256: string): string {
    const vouch = this.#owner.get(piece);
    if (vouch?.sha256 === sha256) return vouch.witness;
    for (const said of this.#rumours.get(piece)?.values() ?? []) if (said.sha256 === sha256) return said.witness;
    return '';
  }

  check(piece: number, sha256: string, sender: string): Verdict {
    const vouch = this.#owner.get(piece);
    if (vouch !== undefined) return vouch.sha256 === sha256 ? 'good' : 'bad';
    if (this.isStrict) return 'unknown';
    for (const [name, said] of this.#rumours.get(piece) ?? []) {
      if (name !== sender && said.sha256 === sha256 && !this.#isSuspect(said.witness)) return 'good';
    }
    return 'unknown';
  }

  /** Resolves at the next vouch, from whomever. */
  heard(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }
}
