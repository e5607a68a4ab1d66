/** Ranges for other members: whole pieces from this disk, or pieces on their way to it. */
import { createHash } from 'node:crypto';
import { CodedError } from '../../core/runtime/errors.ts';
import { Semaphore } from '../../core/runtime/semaphore.ts';
import type { OpenRange, RangeOffers, RangeRequest } from '../peer/peer.ts';
import type { SwarmEvents } from './events.ts';
import type { PieceBuffer } from './piece-buffer.ts';
import { PieceDigests } from './piece-digests.ts';
import { type PiecePlan, pieceOf, planPieces } from './piece-plan.ts';
import type { LocalBlob, LocalPieces } from './swarm.ts';

/** Read from the disk at once. */
const CHUNK_BYTES = 1024 * 1024;
/** Of all ranges read at once, those of one member. */
const PER_PEER_MAX = 4;
/** Ranges of all blobs, in times those of one. */
const BLOBS_MAX = 3;
/** Ranges that wait to be hashed for one who asks for nothing else. */
const HASHING_WAIT_MAX = 16;

export interface UploadDeskDeps {
  readonly local: LocalPieces;
  /** A piece of a running swarm, to be read along. */
  readonly arriving: (request: RangeRequest) => PieceBuffer | undefined;
  readonly events: SwarmEvents;
  readonly pieceSizeFor: (sizeBytes: number) => number;
  readonly uploadsMax: number;
  readonly mayUpload: boolean;
}

export class UploadDesk implements RangeOffers {
  readonly #deps: UploadDeskDeps;
  readonly #byPeer = new Tally();
  readonly #byBlob = new Tally();
  readonly #digests = new PieceDigests();
  readonly #hashing = new Semaphore({ permits: 1, waitersMax: HASHING_WAIT_MAX });
  #open = 0;

  constructor(deps: UploadDeskDeps) {
    this.#deps = deps;
  }

  async openRange(peer: string, request: RangeRequest, { signal }: { signal: AbortSignal }): Promise<OpenRange> {
    const { mayUpload, events, uploadsMax } = this.#deps;
    const give = mayUpload ? this.#source(request) : undefined;
    if (give === undefined) throw new CodedError('NOT_FOUND', `Range of "${request.digest}" is not here`);
    const isBusy = this.#open >= uploadsMax * BLOBS_MAX || this.#byBlob.of(request.digest) >= uploadsMax;
    if (isBusy || this.#byPeer.of(peer) >= PER_PEER_MAX) {
      events.uploadRefused();
      throw new CodedError('RESOURCE_EXHAUSTED', `Range is refused: ${this.#open} are being read`);
    }
    const close = this.#take(peer, request, signal);
    const open = give(signal);
    return { sha256: open.sha256, chunks: endingWith(open.chunks, close) };
  }

  /** What a range of a whole blob here hashes to; each is hashed once. @throws CodedError NOT_FOUND, UNAVAILABLE when it is not here, or went; RESOURCE_EXHAUSTED */
  async digestOf(request: RangeRequest): Promise<string> {
    const blob = this.#deps.local.look(request.digest);
    if (blob?.state !== 'whole' || !this.#isHere(blob, request.range)) {
      throw new CodedError('NOT_FOUND', `Range of "${request.digest}" is not here`);
    }
    const known = this.#digests.find(request);
    if (known !== undefined) return known;
    return this.#hashing.run(async () => {
      const { chunks, sha256 } = fromDisk(blob, request, this.#digests);
      for await (const _ of chunks);
      return sha256;
    });
  }

  #source({ digest, range }: RangeRequest): ((signal: AbortSignal) => OpenRange) | undefined {
    const blob = this.#deps.local.look(digest);
    if (blob !== undefined && this.#isHere(blob, range)) {
      return () => fromDisk(blob, { digest, range }, this.#digests);
    }
    const buffer = this.#deps.arriving({ digest, range });
    return buffer && ((signal) => buffer.open(signal));
  }

  #isHere(blob: LocalBlob, range: RangeRequest['range']): boolean {
    const plan: PiecePlan = planPieces(blob.size, this.#deps.pieceSizeFor);
    if (pieceOf(plan, range) === undefined) return false;
    const gap = blob.missing(range.start);
    return gap === undefined || gap.start >= range.end;
  }

  /** @returns what gives the slot back, also called when the signal aborts */
  #take(peer: string, { digest }: RangeRequest, signal: AbortSignal): () => void {
    this.#open += 1;
    this.#byPeer.add(peer, 1);
    this.#byBlob.add(digest, 1);
    let isOpen = true;
    const close = () => {
      if (!isOpen) return;
      isOpen = false;
      signal.removeEventListener('abort', close);
      this.#open -= 1;
      this.#byPeer.add(peer, -1);
      this.#byBlob.add(digest, -1);
    };
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    return close;
  }
}

async function* endingWith(chunks: AsyncIterable<Uint8Array>, close: () => void): AsyncIterable<Uint8Array> {
  try {
    yield* chunks;
  } finally {
    close();
  }
}

/** Counts by name; names that count nothing are forgotten. */
class Tally {
  readonly #counts = new Map<string, number>();

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string, change: 1 | -1): void {
    const count = this.of(name) + change;
    if (count > 0) this.#counts.set(name, count);
    else this.#counts.delete(name);
  }
}

function fromDisk(blob: LocalBlob, request: RangeRequest, digests: PieceDigests): OpenRange {
  const { range } = request;
  const known = blob.state === 'whole' ? digests.find(request) : undefined;
  const hash = createHash('sha256');
  const sha256 = Promise.withResolvers<string>();
  sha256.promise.catch(() => undefined);
  const hashed = () => {
    const found = hash.digest('hex');
    if (blob.state === 'whole') digests.keep(request, found);
    return found;
  };
  async function* chunks(): AsyncIterable<Uint8Array> {
    let bytes: Awaited<ReturnType<LocalBlob['open']>> | undefined;
    try {
      bytes = await blob.open();
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, range.end - range.start));
      for (let at = range.start; at < range.end; ) {
        const count = await bytes.read(buffer.subarray(0, range.end - at), at);
        if (count === 0) throw new CodedError('UNAVAILABLE', 'Blob ended before the range');
        const chunk = buffer.subarray(0, count);
        if (known === undefined) hash.update(chunk);
        at += count;
        if (at >= range.end) sha256.resolve(known ?? hashed());
        yield chunk;
      }
    } finally {
      sha256.reject(new CodedError('UNAVAILABLE', 'Range was not read to its end'));
      await bytes?.close();
    }
  }
  return { chunks: chunks(), sha256: sha256.promise };
}
