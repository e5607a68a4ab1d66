/**
 * Who sent which piece of one blob, kept until its whole is proven: then the SHA-256 of every piece is known for certain, and
 * who sent anything else is found without trusting anyone. Pure.
 */

/** Pieces remembered that may have been wrong. */
const DOUBTS_MAX = 8_192;

interface Sent {
  readonly sender: string;
  readonly sha256: string;
  /** The sender answers for it itself: it holds the proven whole, fetched the piece, or could have known better. */
  readonly isAccountable: boolean;
}

export class PieceLedger {
  #accepted = new Map<number, Sent>();
  readonly #doubts: (Sent & { readonly piece: number })[] = [];
  #hasFailed = false;

  /** A whole of these pieces was wrong before. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  accepted(piece: number, sent: Sent): void {
    this.#accepted.set(piece, sent);
  }

  /** Others vouch for something else; who is right shows later. */
  rejected(piece: number, sent: Sent): void {
    this.#doubt({ piece, ...sent });
  }

  /** The whole was not the digest: any of its pieces may have been the wrong one. */
  wholeWasWrong(): void {
    this.#hasFailed = true;
    for (const [piece, sent] of this.#accepted) this.#doubt({ piece, ...sent });
    this.#accepted = new Map();
  }

  /** The whole is proven. @returns who sent wrong bytes and answers for them; those that only passed them on are left out */
  proven(): Set<string> {
    const liars = new Set<string>();
    for (const { piece, sender, sha256, isAccountable } of this.#doubts) {
      const truth = this.#accepted.get(piece)?.sha256;
      if (isAccountable && truth !== undefined && truth !== sha256) liars.add(sender);
    }
    return liars;
  }

  #doubt(doubt: Sent & { piece: number }): void {
    if (this.#doubts.length < DOUBTS_MAX) this.#doubts.push(doubt);
  }
}
