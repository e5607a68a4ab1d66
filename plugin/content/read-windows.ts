/**
 * Small reads one after another, met from memory: containerd unpacks a blob by tens of thousands of 32 KiB reads, and a
 * thread-pool hop for each would cost more than the bytes. Each blob read lately keeps an open handle and the stretch of
 * bytes around the reader; the next stretch is read while the present one is consumed.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { BlobWindow, type WindowBytes } from './blob-window.ts';

/** Blobs whose handle stays open; more than containerd unpacks at once. */
export const WINDOWS_MAX = 64;
/** Bytes of all windows together. Bytes given out and still being sent are not counted: their senders bound them. */
export const WINDOWS_BYTES_MAX = 48 * 1024 * 1024;
/** A window that nobody read from for so long is closed, milliseconds. */
export const WINDOW_IDLE_MS = 10_000;

export interface ReadWindowsDeps {
  readonly clock: Clock;
  /** Opens the bytes of a blob, or of its flight. @throws CodedError NOT_FOUND */
  readonly open: (digest: Digest) => Promise<WindowBytes>;
}

export class ReadWindows {
  readonly #deps: ReadWindowsDeps;
  readonly #windows = new Map<Digest, BlobWindow>();

  constructor(deps: ReadWindowsDeps) {
    this.#deps = deps;
  }

  /** Bytes held now. */
  get bytes(): number {
    let bytes = 0;
    for (const window of this.#windows.values()) bytes += window.bytes;
    return bytes;
  }

  /** How many blobs have a window. */
  get count(): number {
    return this.#windows.size;
  }

  /** The whole of `[start, end)` when it lies in memory. */
  now(digest: Digest, start: number, end: number): Uint8Array | undefined {
    const window = this.#windows.get(digest);
    const bytes = window?.now(start, end);
    if (bytes !== undefined) window?.use(this.#deps.clock.monotonicMs());
    return bytes;
  }

  /** At least one byte of `[start, end)` from its start on, read from below when it has to be. */
  async take(digest: Digest, start: number, end: number): Promise<Uint8Array> {
    const window = this.#windowOf(digest);
    window.use(this.#deps.clock.monotonicMs());
    this.#makeRoom(window);
    try {
      return await window.take(start, end);
    } catch (error) {
      if (this.#windows.get(digest) === window) this.drop(digest);
      throw error;
    }
  }

  /** Forgets what is held of a blob. Buffers that were given out stay whole. */
  drop(digest: Digest): void {
    const window = this.#windows.get(digest);
    this.#windows.delete(digest);
    window?.close().catch(() => undefined);
  }

  /** Closes what nobody has read from lately. */
  closeIdle(): void {
    const before = this.#deps.clock.monotonicMs() - WINDOW_IDLE_MS;
    for (const [digest, window] of this.#windows) if (window.usedAtMs <= before) this.drop(digest);
  }

  async closeAll(): Promise<void> {
    const windows = [...this.#windows.values()];
    this.#windows.clear();
    await Promise.allSettled(windows.map((window) => window.close()));
  }

  #windowOf(digest: Digest): BlobWindow {
    const found = this.#windows.get(digest);
    if (found !== undefined) return found;
    const window = new BlobWindow(() => this.#deps.open(digest));
    this.#windows.set(digest, window);
    return window;
  }

  /** Closes those used least recently until one more full window fits. */
  #makeRoom(own: BlobWindow): void {
    const others = [...this.#windows].filter(([, window]) => window !== own);
    others.sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
    let bytes = this.bytes - own.bytes + BlobWindow.bytesMax;
    for (const [digest, window] of others) {
      if (this.#windows.size <= WINDOWS_MAX && bytes <= WINDOWS_BYTES_MAX) return;
      bytes -= window.bytes;
      this.drop(digest);
    }
  }
}
