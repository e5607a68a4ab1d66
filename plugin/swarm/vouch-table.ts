/**
 * What the owner of a blob was told about its pieces' SHA-256: votes of members that fetched a piece from the source, and what
 * members heard from holders of the whole. Usually one vote will do. Where votes differ, one more fetch from the source
 * settles them, and whoever voted otherwise is doubted: none of its votes counts any more, so that one fetch convicts a member
 * that is wrong in every piece. Two members whose fetches contradict one holder, in whichever pieces, settle it as well. Each wrong
 * whole asks for more: after the first, witnesses are compared by one more fetch each until one is refuted, and the others are
 * believed; after the second, all that are believed were compared; after the third, two members must have fetched a piece
 * since. Hints: only the whole digest is truth. Pure.
 */

/** A piece's SHA-256, hexadecimal, and who answers for it. */
export interface Vouch {
  readonly piece: number;
  readonly sha256: string;
  readonly witness: string;
  /** Witnesses differed about it: who has another SHA-256 may have had it in good faith. */
  readonly isContested?: boolean;
}

/** After so many wrong wholes only those are believed that were compared; one is found at a time before. */
const ALL_COMPARED_LEVEL = 2;
/** Wrong wholes that make a difference. */
export const DISPUTE_LEVEL_MAX = 3;

/** Witnesses counted for one piece. */
const WITNESSES_MAX = 8;
/** Members that must have fetched the same after the last wrong whole that makes a difference. */
const FETCHERS_WHEN_DISPUTED = 2;
/** Members whose fetches outweigh a holder's word. */
const FETCHERS_AGAINST_ONE = 2;

/** Before a witness's name: what counts as its word, and what it is said to have sent against that. */
const ITS_WORD = '=';
const AGAINST_ITS_WORD = '!';

interface Vote {
  readonly sha256: string;
  /** Fetched from the source by the one that says so; else hearsay of what a holder sent. */
  readonly isFetched: boolean;
  /** The dispute's level when it was given. */
  readonly level: number;
}

export class VouchTable {
  /** piece → voter, a witness with its sign → vote */
  readonly #votes = new Map<number, Map<string, Vote>>();
  readonly #usable = new Map<number, Vouch>();
  /** The first piece that each witness was heard of, and whether it fetched that. */
  readonly #firsts = new Map<string, { piece: number; isFetched: boolean }>();
  /** Pieces whose votes tie, or do not suffice. */
  readonly #unsettled = new Set<number>();
  readonly #doubted = new Set<string>();
  /** Witnesses that agreed with another one's fetch. */
  readonly #compared = new Set<string>();
  /** Pieces in the order in which their usable vouch changed. */
  #log: number[] = [];
  #level = 0;

  get level(): number {
    return this.#level;
  }

  /**
   * `isFetched`: the witness itself says so, of a piece that it took from the source. What it is heard to have sent against its own
   * word is a vote beside that.
   */
  add({ piece, sha256, witness }: Vouch, isFetched = true): void {
    const votes = this.#votes.get(piece) ?? new Map<string, Vote>();
    this.#votes.set(piece, votes);
    const own = votes.get(ITS_WORD + witness);
    const isContradicted = own?.isFetched === true && !isFetched;
    if (isContradicted && own.sha256 === sha256) return;
    const voter = (isContradicted ? AGAINST_ITS_WORD : ITS_WORD) + witness;
    const known = votes.get(voter);
    if (known === undefined && votes.size >= WITNESSES_MAX) return;
    if (known?.sha256 === sha256 && known.isFetched === isFetched && known.level === this.#level) return;
    votes.set(voter, { sha256, isFetched, level: this.#level });
    if (!this.#firsts.has(witness)) this.#firsts.set(witness, { piece, isFetched });
    this.#settle(piece);
  }

  /** What the votes say now; undefined when they do not suffice, or tie. */
  usable(piece: number): Vouch | undefined {
    return this.#usable.get(piece);
  }

  /** Its votes tie before there is a dispute; in one, only what is missing, or refuted, is fetched. */
  isTied(piece: number): boolean {
    return this.#level === 0 && this.#unsettled.has(piece);
  }

  /** Some piece waits for a vote. */
  get isUnsettled(): boolean {
    return this.#unsettled.size > 0;
  }

  /** Its votes were refuted by a fetch from the source. */
  isDoubted(witness: string): boolean {
    return this.#doubted.has(witness);
  }

  doubted(): string[] {
    return [...this.#doubted];
  }

  /** Pieces to compare holders with, before there is a dispute: whatever is not settled, and one of each live holder, for `most` of them. */
  comparable(holders: readonly string[], most: number): number[] {
    if (this.#level > 0) return [];
    const live = new Set(holders);
    const known = [...this.#firsts].filter(([name, { isFetched }]) => !isFetched && live.has(name));
    const untested = known.filter(([name]) => !this.#compared.has(name));
    const left = most - (known.length - untested.length);
    return [...this.#unsettled, ...untested.slice(0, Math.max(0, left)).map(([, { piece }]) => piece)];
  }

  /** Holders whose word about some piece is not settled, before there is a dispute. */
  contested(): Set<string> {
    const names = new Set<string>();
    if (this.#level > 0) return names;
    for (const piece of this.#unsettled) {
      for (const [voter, { isFetched }] of this.#votes.get(piece) ?? []) if (!isFetched) names.add(nameOf(voter));
    }
    return names;
  }

  /**
   * Whether somebody should fetch a piece from the source again, to settle its votes. After a wrong whole, whoever vouched for
   * something is compared by one piece each, at first until somebody is refuted, later all; then what is not usable is fetched.
   */
  needsVote(holders: readonly string[]): (piece: number) => boolean {
    if (this.#level === 0) return (piece) => !this.#usable.has(piece) && this.#votes.has(piece);
    if (this.#level >= DISPUTE_LEVEL_MAX) return (piece) => !this.#usable.has(piece);
    const samples = this.#samples(new Set(holders));
    const isGiven = holders.some((name) => this.#isPresumedGood(name) && this.#firsts.has(name));
    return (piece) => (samples.size > 0 ? samples.has(piece) : !isGiven && !this.#usable.has(piece));
  }

  /** Whether it has fetched this piece already. */
  hasVoted(piece: number, witness: string): boolean {
    return this.#votes.get(piece)?.get(ITS_WORD + witness)?.isFetched === true;
  }

  /** Whether it has done so since the dispute began. */
  hasVotedAnew(piece: number, witness: string): boolean {
    return this.hasVoted(piece, witness) && this.#votes.get(piece)?.get(ITS_WORD + witness)?.level !== 0;
  }

  /** What changed after the first `seen` changes, and how many there are by now. */
  since(seen: number): { vouches: Vouch[]; seen: number } {
    const changed = new Set(this.#log.slice(seen));
    return { vouches: [...changed].flatMap((piece) => this.#usable.get(piece) ?? []), seen: this.#log.length };
  }

  /** One more whole of usable pieces was wrong. */
  dispute(): void {
    this.#doubted.clear();
    this.#compared.clear();
    this.#raise();
    for (const piece of [...this.#votes.keys()]) this.#settle(piece);
  }

  #raise(): void {
    this.#level = Math.min(DISPUTE_LEVEL_MAX, this.#level + 1);
    this.#usable.clear();
    this.#log = [];
  }

  #settle(piece: number): void {
    const votes = this.#votes.get(piece) ?? new Map<string, Vote>();
    const winner = this.#winner(votes);
    const before = this.#usable.get(piece);
    if (winner === undefined) {
      this.#usable.delete(piece);
      this.#unsettled.add(piece);
      if (this.#level === 0) this.#doubtContradicted(votes);
      return;
    }
    this.#unsettled.delete(piece);
    const { sha256, witness } = winner;
    const isContested = [...votes.values()].some((vote) => vote.sha256 !== sha256);
    if (before?.sha256 !== sha256) {
      this.#usable.set(piece, { piece, sha256, witness, isContested });
      this.#log.push(piece);
    }
    this.#judge(votes, sha256);
  }

  /** A holder that two members' fetches contradict is doubted, though they were of different pieces; it is a dispute from then on. */
  #doubtContradicted(votes: ReadonlyMap<string, Vote>): void {
    const holders = [...votes].filter(([voter, { isFetched }]) => !isFetched && voter.startsWith(ITS_WORD));
    const refuted = holders.filter(([voter]) => this.#contradicting(voter).size >= FETCHERS_AGAINST_ONE);
    if (refuted.length === 0) return;
    for (const [voter] of refuted) this.#doubted.add(nameOf(voter));
    this.#raise();
    for (const piece of [...this.#votes.keys()]) this.#settle(piece);
  }

  /** Members that fetched something else than a holder has, of whichever piece. */
  #contradicting(holder: string): Set<string> {
    const names = new Set<string>();
    for (const votes of this.#votes.values()) {
      const said = votes.get(holder)?.sha256;
      if (said === undefined) continue;
      for (const [voter, { sha256, isFetched }] of votes) {
        if (isFetched && sha256 !== said && voter.startsWith(ITS_WORD)) names.add(voter);
      }
    }
    return names;
  }

  /** The SHA-256 that counts. */
  #winner(votes: ReadonlyMap<string, Vote>): { sha256: string; witness: string } | undefined {
    const counted = this.#counted([...votes]);
    const wanted = this.#level >= DISPUTE_LEVEL_MAX ? FETCHERS_WHEN_DISPUTED : 1;
    const counts = new Map<string, number>();
    for (const [, { sha256 }] of counted) counts.set(sha256, (counts.get(sha256) ?? 0) + 1);
    const [first, second] = [...counts].sort((a, b) => b[1] - a[1]);
    if (first === undefined || first[1] < wanted || first[1] === second?.[1]) return undefined;
    const [sha256] = first;
    return { sha256, witness: nameOf(counted.find(([, vote]) => vote.sha256 === sha256)?.[0] ?? '') };
  }

  /**
   * Votes that count. In a dispute, a fetch for it outweighs what holders are said to have sent; a fetch from before that
   * contradicts it counts as much, so that a liar's vote alone convicts nobody.
   */
  #counted(votes: readonly [string, Vote][]): [string, Vote][] {
    const believed = votes.filter(([voter, vote]) => this.#isBelieved(nameOf(voter), vote));
    if (this.#level === 0) return believed;
    const isAnew = ([, { isFetched, level }]: [string, Vote]) => isFetched && level > 0;
    if (this.#level >= DISPUTE_LEVEL_MAX || !believed.some(isAnew)) return believed;
    return votes.filter(([voter, { isFetched }]) => isFetched && !this.#doubted.has(nameOf(voter)));
  }

  #isBelieved(witness: string, { isFetched, level }: Vote): boolean {
    if (this.#doubted.has(witness)) return false;
    if (this.#level === 0 || (isFetched && level > 0)) return true;
    return this.#level < DISPUTE_LEVEL_MAX && this.#isPresumedGood(witness);
  }

  /** It was compared; or, at first, another one was found to be wrong, which may be all there is. */
  #isPresumedGood(witness: string): boolean {
    return !this.#doubted.has(witness) && (this.#compared.has(witness) || this.#isFound);
  }

  /** Somebody is refuted, and the others are believed. */
  get #isFound(): boolean {
    return this.#level < ALL_COMPARED_LEVEL && this.#doubted.size > 0;
  }

  /** A piece of each that was not compared, while nobody is found: of live holders, and of those that fetched. */
  #samples(holders: ReadonlySet<string>): Set<number> {
    if (this.#isFound) return new Set();
    const untested = [...this.#firsts].filter(
      ([name, { isFetched }]) =>
        !this.#compared.has(name) && !this.#doubted.has(name) && (isFetched || holders.has(name)),
    );
    // One whose piece is usable has fetched it for this dispute itself, or is no worse than who has.
    return new Set(untested.flatMap(([, { piece }]) => (this.#usable.has(piece) ? [] : [piece])));
  }

  /** A fetch decided: who agrees was compared, who does not is doubted in all that it said. */
  #judge(votes: ReadonlyMap<string, Vote>, sha256: string): void {
    const isDecided = [...votes].some(
      ([voter, vote]) => vote.sha256 === sha256 && vote.isFetched && this.#isBelieved(nameOf(voter), vote),
    );
    if (!isDecided) return;
    const wasClean = this.#doubted.size === 0;
    const changed = new Set<string>();
    for (const [voter, vote] of votes) {
      const witness = nameOf(voter);
      const isGood = vote.sha256 === sha256;
      const isAlone = isGood && ![...votes].some(([other, { sha256: said }]) => other !== voter && said === sha256);
      if (this.#doubted.has(witness) || isAlone) continue;
      const names = isGood ? this.#compared : this.#doubted;
      if (names.has(witness)) continue;
      names.add(witness);
      if (!isGood) this.#compared.delete(witness);
      changed.add(witness);
    }
    if (changed.size === 0) return;
    // The first one that is found clears the others. What it said may be everywhere, so that it is a dispute from now on.
    const isFound = wasClean && this.#doubted.size > 0;
    if (isFound && this.#level === 0) this.#raise();
    for (const [piece, others] of this.#votes) {
      if (isFound || [...others.keys()].some((voter) => changed.has(nameOf(voter)))) this.#settle(piece);
    }
  }
}

function nameOf(voter: string): string {
  return voter.slice(1);
}
