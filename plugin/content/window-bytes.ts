/** What windows read from: an open blob, or what a flight has so far. */
import type { OpenBytes } from '../store/blob-store.ts';
import type { WindowBytes } from './blob-window.ts';
import type { BlobFlight } from './flight.ts';

/** A whole blob's bytes. */
export class DiskBytes implements WindowBytes {
  readonly #bytes: OpenBytes;

  constructor(bytes: OpenBytes) {
    this.#bytes = bytes;
  }

  readableAt(offset: number): number {
    return Math.max(0, this.#bytes.size - offset);
  }

  read(into: Uint8Array, offset: number): Promise<number> {
    return this.#bytes.read(into, offset);
  }

  isStale(): boolean {
    return false;
  }

  close(): Promise<void> {
    return this.#bytes.close();
  }
}

/** A flight's bytes, for as long as it runs, does not start again, and is not left for the disk. */
export class FlightBytes implements WindowBytes {
  readonly #flight: BlobFlight;
  readonly #isLeft: () => boolean;
  readonly #attempt: number;

  /** `isLeft`: its readers may go on from the disk, which also has the last bytes, kept back by a flight to its very end. */
  constructor(flight: BlobFlight, isLeft: () => boolean) {
    this.#flight = flight;
    this.#isLeft = isLeft;
    this.#attempt = flight.attempt;
  }

  readableAt(offset: number): number {
    return this.isStale() ? 0 : this.#flight.readableAt(offset);
  }

  read(into: Uint8Array, offset: number): Promise<number> {
    return this.#flight.read(into, offset);
  }

  isStale(): boolean {
    return !this.#flight.isRunning || this.#flight.attempt !== this.#attempt || this.#isLeft();
  }

  async close(): Promise<void> {}
}
