/**
 * What the owner of a blob was told about its pieces' SHA-256: votes of those who fetched a piece from the source, or hold
 * the whole. Usually one vote will do; once a whole was wrong, two that agree are asked for. Hints: only the whole
 * digest is truth. Pure.
 */

/** A piece's SHA-256, hexadecimal, and who answers for it. */
export interface Vouch {
  readonly piece: number;
  readonly sha256: string;
  readonly witness: string;
  /** Witnesses differed about it: who has another SHA-256 may have had it in good faith. */
  readonly isContested?: boolean;
}

/** Witnesses counted for one piece. */
const WITNESSES_MAX = 8;
/** Witnesses that must agree once a whole was wrong. */
const WITNESSES_WHEN_DISPUTED = 2;

export class VouchTable {
  /** piece → witness → SHA-256 */
  readonly #votes = new Map<number, Map<string, string>>();
  readonly #usable = new Map<number, Vouch>();
  /** Pieces in the order in which their usable vouch changed. */
  #log: number[] = [];
  #isDisputed = false;

  get isDisputed(): boolean {
    return this.#isDisputed;
  }

  add({ piece, sha256, witness }: Vouch): void {
    const votes = this.#votes.get(piece) ?? new Map<string, string>();
    this.#votes.set(piece, votes);
    if (votes.get(witness) === sha256 || (votes.size >= WITNESSES_MAX && !votes.has(witness))) return;
    votes.set(witness, sha256);
    this.#settle(piece);
  }

  /** What the votes say now; undefined when they do not suffice, or tie. */
  usable(piece: number): Vouch | undefined {
    return this.#usable.get(piece);
  }

  /** Whether somebody should fetch this piece from the source again, to settle its votes. */
  needsVote(piece: number): boolean {
    return this.#usable.get(piece) === undefined && (this.#isDisputed || this.#votes.has(piece));
  }

  hasVoted(piece: number, witness: string): boolean {
    return this.#votes.get(piece)?.has(witness) ?? false;
  }

  /** What changed after the first `seen` changes, and how many there are by now. */
  since(seen: number): { vouches: Vouch[]; seen: number } {
    const changed = new Set(this.#log.slice(seen));
    return { vouches: [...changed].flatMap((piece) => this.#usable.get(piece) ?? []), seen: this.#log.length };
  }

  /** A whole of usable pieces was wrong: from now on two witnesses have to agree. */
  dispute(): void {
    this.#isDisputed = true;
    this.#usable.clear();
    this.#log = [];
    for (const piece of this.#votes.keys()) this.#settle(piece);
  }

  #settle(piece: number): void {
    const counts = new Map<string, number>();
    const votes = this.#votes.get(piece) ?? new Map<string, string>();
    for (const sha256 of votes.values()) counts.set(sha256, (counts.get(sha256) ?? 0) + 1);
    const [first, second] = [...counts].sort((a, b) => b[1] - a[1]);
    const wanted = this.#isDisputed ? WITNESSES_WHEN_DISPUTED : 1;
    if (first === undefined || first[1] < wanted || first[1] === second?.[1]) {
      this.#usable.delete(piece);
      return;
    }
    const before = this.#usable.get(piece);
    if (before?.sha256 === first[0]) return;
    const witness = [...votes].find(([, sha256]) => sha256 === first[0])?.[0] ?? '';
    this.#usable.set(piece, { piece, sha256: first[0], witness, isContested: second !== undefined });
    this.#log.push(piece);
  }
}
