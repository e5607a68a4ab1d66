/**
 * Who sent which piece of one blob, and who vouched for it, kept until its whole is proven: then the SHA-256 of every piece is
 * known for certain, and who sent anything else is found without trusting anyone. Until then those are suspected whose word
 * was refuted, and not asked. Pure.
 */

/** Pieces remembered that may have been wrong. */
const DOUBTS_MAX = 8_192;
/** Members not asked for this blob; a member more is asked, and found again. */
const SUSPECTS_MAX = 1_024;

export interface Sent {
  readonly sender: string;
  readonly sha256: string;
  /** Who answers for it; empty when that is not known. */
  readonly witness: string;
  /** The sender answers for it itself: it holds the proven whole, fetched the piece, or could have known better. */
  readonly isAccountable: boolean;
}

export class PieceLedger {
  readonly #self: string;
  #accepted = new Map<number, Sent>();
  readonly #doubts = new Map<number, Sent[]>();
  readonly #suspects = new Set<string>();
  #doubtCount = 0;
  #wrongWholes = 0;

  constructor(self: string) {
    this.#self = self;
  }

  /** Wholes of these pieces that were wrong. */
  get wrongWholes(): number {
    return this.#wrongWholes;
  }

  /** Not to be asked for pieces of this blob: what it said of one was refuted, though by whom may be wrong as well. */
  isSuspect(name: string): boolean {
    return this.#suspects.has(name);
  }

  accepted(piece: number, sent: Sent): void {
    this.#accepted.set(piece, sent);
  }

  /** Others vouch for something else; who is right shows later. */
  rejected(piece: number, sent: Sent): void {
    this.#doubt(piece, sent);
  }

  /** The whole was not the digest: any of its pieces may have been the wrong one. Where all were vouched for by one, it was that one. */
  wholeWasWrong(): void {
    this.#wrongWholes += 1;
    const witnesses = new Set<string>();
    for (const [piece, sent] of this.#accepted) {
      if (sent.witness === this.#self) continue;
      this.#doubt(piece, sent);
      witnesses.add(sent.witness);
    }
    const [only = ''] = witnesses;
    if (witnesses.size === 1 && only !== '') this.#suspect(only);
    this.#accepted = new Map();
  }

  /**
   * The piece's SHA-256 is told by the owner after something was wrong, or by a fetch of this node's own: whoever answers for
   * another one is asked no more. @returns accepted pieces that fall with it: whatever the same one answers for
   */
  refute(piece: number, sha256: string): number[] {
    for (const sent of this.#doubts.get(piece) ?? []) this.#suspectFor(sent, sha256);
    const accepted = this.#accepted.get(piece);
    if (accepted === undefined || accepted.sha256 === sha256) return [];
    this.#suspectFor(accepted, sha256);
    const { witness } = accepted;
    if (witness === '' || witness === this.#self) return [piece];
    return [...new Set([piece, ...this.#vouchedBy(witness)])];
  }

  /** The owner says that this one's word was refuted; it is told so with each answer. @returns accepted pieces that rest on it */
  doubt(name: string): number[] {
    if (name === this.#self) return [];
    this.#suspect(name);
    return this.#vouchedBy(name);
  }

  /** What was accepted of it; undefined when this node has it from an earlier run, or not. */
  acceptedOf(piece: number): string | undefined {
    return this.#accepted.get(piece)?.sha256;
  }

  /** A holder says what it has of a piece. @returns whether this node fetched something else itself: that one is asked no more */
  contradicts(name: string, { piece, sha256 }: { piece: number; sha256: string }): boolean {
    const own = this.#accepted.get(piece);
    if (own?.witness !== this.#self || own.sha256 === sha256) return false;
    this.#suspect(name);
    return true;
  }

  /** An accepted piece is not kept after all. */
  dropped(piece: number): void {
    const sent = this.#accepted.get(piece);
    this.#accepted.delete(piece);
    if (sent !== undefined && sent.witness !== this.#self) this.#doubt(piece, sent);
  }

  /** This node fetched the piece from the source itself. @returns who answers for having sent it anything else */
  fetched(piece: number, sha256: string): Set<string> {
    const known = [...(this.#doubts.get(piece) ?? []), this.#accepted.get(piece)];
    const liars = known.flatMap((sent) => (sent?.isAccountable && sent.sha256 !== sha256 ? [sent.sender] : []));
    return new Set(liars);
  }

  /** The whole is proven. @returns who sent wrong bytes and answers for them; those that only passed them on are left out */
  proven(): Set<string> {
    const liars = new Set<string>();
    for (const [piece, doubts] of this.#doubts) {
      const truth = this.#accepted.get(piece)?.sha256;
      for (const { isAccountable, sha256, sender } of doubts) {
        if (isAccountable && truth !== undefined && truth !== sha256) liars.add(sender);
      }
    }
    return liars;
  }

  #vouchedBy(witness: string): number[] {
    return [...this.#accepted].flatMap(([piece, sent]) => (sent.witness === witness ? [piece] : []));
  }

  #suspectFor({ sender, witness, sha256, isAccountable }: Sent, truth: string): void {
    if (sha256 === truth) return;
    if (witness !== this.#self) this.#suspect(witness);
    if (isAccountable) this.#suspect(sender);
  }

  #suspect(name: string): void {
    if (name !== '' && this.#suspects.size < SUSPECTS_MAX) this.#suspects.add(name);
  }

  #doubt(piece: number, sent: Sent): void {
    if (this.#doubtCount >= DOUBTS_MAX) return;
    this.#doubtCount += 1;
    this.#doubts.set(piece, [...(this.#doubts.get(piece) ?? []), sent]);
  }
}
