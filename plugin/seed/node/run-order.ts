/** An order carried out on this node: what fits, each blob once, each image to its end. */
import { isPlatformFor } from '../../../core/oci/platform.ts';
import type { Descriptor } from '../../../core/oci/descriptor.ts';
import type { Digest } from '../../../core/oci/digest.ts';
import { CodedError, codeOf, messageOf } from '../../../core/runtime/errors.ts';
import { Semaphore } from '../../../core/runtime/semaphore.ts';
import type { Flight } from '../../content/content.ts';
import { blobsOf } from '../image-blobs.ts';
import { BLOBS_MAX } from '../limits.ts';
import { isRetriable } from '../retriable.ts';
import type { ImageRow, SeedImage, SeedOrder } from '../seed.ts';
import { bringBlob } from './bring-blob.ts';
import { unfitImages } from './fit-images.ts';
import type { NodeSeedingDeps } from './node-deps.ts';
import type { OrderBoard } from './order-board.ts';
import { roomBytes } from './room-bytes.ts';

/** The runtime unpacks one layer after the other on one core anyway. */
const UNPACKS_AT_ONCE = 2;

export class OrderRun {
  readonly #deps: NodeSeedingDeps;
  readonly #order: SeedOrder;
  readonly #board: OrderBoard;
  readonly #blobs: readonly (readonly Descriptor[])[];
  readonly #turns: Semaphore;
  readonly #unpacks = new Semaphore({ permits: UNPACKS_AT_ONCE, waitersMax: BLOBS_MAX });
  readonly #flights = new Map<Digest, Flight>();
  /** Each blob is brought once; the first image that asks counts its bytes. */
  readonly #brought = new Map<Digest, Promise<number>>();
  readonly #fetched: number[];
  /** What earlier downloads left. */
  readonly #left = new Map<Digest, number>();

  constructor(deps: NodeSeedingDeps, order: SeedOrder, board: OrderBoard) {
    this.#deps = deps;
    this.#order = order;
    this.#board = board;
    this.#blobs = order.images.map(blobsOf);
    this.#fetched = order.images.map(() => 0);
    this.#turns = new Semaphore({ permits: order.parallelBlobs, waitersMax: BLOBS_MAX });
  }

  /** Resolves when every image has ended, whatever happened to it; an aborted signal ends all that have not. */
  async run(signal: AbortSignal): Promise<void> {
    const all = this.#order.images.map((_image, at) => at);
    const fitting = this.#withoutUnfit(all.filter((at) => this.#isForHere(at)));
    // In their order: permits go to those who asked first.
    await Promise.all(fitting.map((at) => this.#runImage(at, signal)));
  }

  /** How far the images at work are, from memory. */
  look(): void {
    for (const row of this.#board.active()) this.#board.set(row.image, { bytesPresent: this.#bytesPresent(row.image) });
  }

  #isForHere(at: number): boolean {
    const { platforms } = this.#order.images[at] ?? {};
    const { platform, mayHold } = this.#deps;
    if (!mayHold) return this.#skip(at, 'This node is an observer, which holds nothing');
    if (platforms === undefined || platforms.some((one) => isPlatformFor(one, platform))) return true;
    return this.#skip(at, `It is not for ${platform.os}/${platform.architecture}`);
  }

  #skip(at: number, reason: string, retriable = false): false {
    this.#board.set(at, { state: 'skipped', reason, isRetriable: retriable, bytesPresent: this.#bytesPresent(at) });
    return false;
  }

  #withoutUnfit(images: readonly number[]): number[] {
    for (const { digest, bytesPresent } of this.#deps.store.partials()) this.#left.set(digest, bytesPresent);
    const lacks = images.map((image) => ({ image, missing: this.#missingOf(image) }));
    const wanted = new Set(images.flatMap((at) => this.#blobsAt(at).map(({ digest }) => digest)));
    const room = { bytes: roomBytes(this.#deps, wanted), maxBytes: this.#order.maxBytes };
    const unfit = unfitImages(lacks, room);
    return images.filter((at) => {
      const why = unfit.get(at);
      return why === undefined || this.#skip(at, why.reason, why.isRetriable);
    });
  }

  #missingOf(at: number): { digest: Digest; bytes: number }[] {
    const absent = this.#blobsAt(at).filter(({ digest }) => this.#deps.store.stat(digest) === undefined);
    return absent.map(({ digest, size }) => ({ digest, bytes: size - Math.min(size, this.#left.get(digest) ?? 0) }));
  }

  async #runImage(at: number, signal: AbortSignal): Promise<void> {
    const image = this.#order.images[at];
    if (image === undefined) return;
    try {
      await this.#bringAll(at, image, signal);
      this.#checkVerified(at);
      await this.#unpack(at, image, signal);
      const fetched = this.#fetched[at] ?? 0;
      this.#end(at, { state: fetched > 0 ? 'fetched' : 'present' });
    } catch (error) {
      this.#fail(at, error);
    }
  }

  /** Goes on with what runs when one fails, so that the next try has less to do, but begins nothing more. */
  async #bringAll(at: number, image: SeedImage, signal: AbortSignal): Promise<void> {
    let failure: BlobFailure | undefined;
    const one = async (blob: Descriptor) => {
      try {
        await this.#turns.run(
          async () => {
            if (failure !== undefined) return;
            this.#board.set(at, { state: 'fetching' });
            const bytes = await this.#once(blob, image, signal);
            this.#fetched[at] = (this.#fetched[at] ?? 0) + bytes;
          },
          { signal },
        );
      } catch (error) {
        failure ??= new BlobFailure(blob.digest, error);
      }
    };
    await Promise.all(this.#blobsAt(at).map(one));
    if (failure !== undefined) throw failure;
  }

  /** @returns the bytes that came, to whoever asks first; 0 to others */
  async #once(blob: Descriptor, image: SeedImage, signal: AbortSignal): Promise<number> {
    const running = this.#brought.get(blob.digest);
    if (running !== undefined) {
      await running;
      return 0;
    }
    const bringing = this.#bring(blob, image, signal);
    this.#brought.set(blob.digest, bringing);
    return bringing;
  }

  async #bring(blob: Descriptor, image: SeedImage, signal: AbortSignal): Promise<number> {
    const wasHere = this.#deps.store.stat(blob.digest) !== undefined;
    const onFlight = (flight: Flight) => void this.#flights.set(blob.digest, flight);
    try {
      await bringBlob(this.#deps, { blob, image, pin: this.#order.pin, onFlight }, signal);
    } finally {
      this.#flights.delete(blob.digest);
    }
    return wasHere ? 0 : blob.size - Math.min(blob.size, this.#left.get(blob.digest) ?? 0);
  }

  /** Said of the store as it is now: a pin that ended meanwhile holds nothing. */
  #checkVerified(at: number): void {
    const [verified, wanted] = [this.#verified(at), this.#blobsAt(at).length];
    if (verified === wanted) return;
    throw new CodedError(
      'UNAVAILABLE',
      `Only ${verified} of ${wanted} blobs are here and pinned; did the pin end meanwhile?`,
    );
  }

  async #unpack(at: number, image: SeedImage, signal: AbortSignal): Promise<void> {
    const { runtime } = this.#deps;
    if (this.#order.level !== 'image') return;
    if (runtime === undefined) {
      throw new CodedError(
        'FAILED_PRECONDITION',
        'This node has no runtime to unpack with: content.containerd is empty',
      );
    }
    this.#board.set(at, { state: 'unpacking', bytesPresent: this.#bytesPresent(at) });
    await this.#unpacks.run(() => runtime.pull(image.ref, image.digest, { signal }), { signal });
    this.#board.set(at, { isUnpacked: true });
  }

  #fail(at: number, error: unknown): void {
    const cause = error instanceof BlobFailure ? error.cause : error;
    this.#end(at, {
      state: 'failed',
      reason: messageOf(cause),
      code: codeOf(cause),
      isRetriable: isRetriable(cause),
      ...(error instanceof BlobFailure && { failedDigest: error.digest }),
      ...(this.#order.level === 'image' && { isUnpacked: false }),
    });
  }

  #end(at: number, how: Partial<Omit<ImageRow, 'image' | 'elapsedMs'>>): void {
    const { untilMs } = this.#order.pin;
    const verified = this.#verified(at);
    this.#board.set(at, {
      ...how,
      bytesFetched: this.#fetched[at] ?? 0,
      bytesPresent: this.#bytesPresent(at),
      blobsVerified: verified,
      ...(verified > 0 && { pinnedUntilMs: untilMs }),
    });
  }

  /** As the store has them: it keeps nothing that it has not hashed itself. */
  #verified(at: number): number {
    const isPinned = ({ digest, size }: Descriptor) => {
      const stat = this.#deps.store.stat(digest);
      return stat?.size === size && stat.holds.has('pin');
    };
    return this.#blobsAt(at).filter(isPinned).length;
  }

  #bytesPresent(at: number): number {
    return this.#blobsAt(at).reduce((sum, { digest, size }) => {
      if (this.#deps.store.stat(digest) !== undefined) return sum + size;
      const arriving = this.#flights.get(digest)?.status().bytesPresent ?? this.#left.get(digest) ?? 0;
      return sum + Math.min(size, arriving);
    }, 0);
  }

  #blobsAt(at: number): readonly Descriptor[] {
    return this.#blobs[at] ?? [];
  }
}

/** Which blob it was. */
class BlobFailure extends Error {
  readonly digest: Digest;

  constructor(digest: Digest, cause: unknown) {
    super(messageOf(cause), { cause });
    this.digest = digest;
  }
}
