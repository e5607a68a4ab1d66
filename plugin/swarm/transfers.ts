/** What is on its way to this node in one swarm, by piece; a piece may come from several at once. */
import type { LeasedPiece } from './owner-messages.ts';
import type { PieceBuffer } from './piece-buffer.ts';

/** In place of a member's name. */
export const SOURCE = 'source';

export interface Transfer {
  readonly piece: number;
  /** A member's name, or `SOURCE`. */
  readonly from: string;
  /** Members between this node and one that has the piece, or the source. */
  readonly depth: number;
  readonly buffer: PieceBuffer;
  readonly startedAtMs: number;
  movedAtMs: number;
  /** Of a lease. */
  endsAtMs: number;
  /** Of a lease that compares: the bytes are of use though others brought them. */
  readonly isForVote: boolean;
  readonly abort: AbortController;
}

export class Transfers {
  readonly #running = new Map<number, Transfer[]>();

  /** Pieces on their way. */
  get pieceCount(): number {
    return this.#running.size;
  }

  has(piece: number): boolean {
    return this.#running.has(piece);
  }

  of(piece: number): readonly Transfer[] {
    return this.#running.get(piece) ?? [];
  }

  all(): Transfer[] {
    return [...this.#running.values()].flat();
  }

  /** The first transfer of each piece. */
  *firsts(): Iterable<{ first: Transfer; count: number }> {
    for (const transfers of this.#running.values()) {
      const [first] = transfers;
      if (first !== undefined) yield { first, count: transfers.length };
    }
  }

  /** Pieces whose bytes others may read along. */
  *arriving(): Iterable<{ piece: number; depth: number }> {
    for (const [piece, [first]] of this.#running) {
      if (first?.buffer.hasRoom && first.buffer.filled > 0) yield { piece, depth: first.depth };
    }
  }

  /** The buffer of a piece on its way, to be read along. */
  bufferOf(piece: number): PieceBuffer | undefined {
    return this.of(piece)[0]?.buffer;
  }

  /** What is fetched from the source. */
  leased(): LeasedPiece[] {
    return this.all().flatMap(({ piece, from, buffer }) => {
      if (from !== SOURCE) return [];
      const { start, end } = buffer.range;
      return [{ piece, percent: Math.floor((100 * buffer.filled) / (end - start)) }];
    });
  }

  leaseOf(piece: number): Transfer | undefined {
    return this.of(piece).find(({ from }) => from === SOURCE);
  }

  add(transfer: Transfer): void {
    this.#running.set(transfer.piece, [...this.of(transfer.piece), transfer]);
  }

  remove(transfer: Transfer): void {
    const others = this.of(transfer.piece).filter((one) => one !== transfer);
    if (others.length > 0) this.#running.set(transfer.piece, others);
    else this.#running.delete(transfer.piece);
  }
}
