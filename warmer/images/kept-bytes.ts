/** Bytes of manifests for the nodes that will be seeded, so that none of them asks the registry again. Bounded by their sum. */
import type { Digest } from '../../core/oci/digest.ts';

/** Some ten thousand manifests of usual size. */
const TOTAL_BYTES_MAX = 48 * 1024 * 1024;

export class KeptBytes {
  readonly #kept = new Map<Digest, Buffer>();
  readonly #totalMax: number;
  #total = 0;

  constructor(options: { totalBytesMax?: number } = {}) {
    this.#totalMax = options.totalBytesMax ?? TOTAL_BYTES_MAX;
  }

  get(digest: Digest): Buffer | undefined {
    return this.#kept.get(digest);
  }

  /** The oldest go first when it is too much. */
  keep(digest: Digest, bytes: Buffer): void {
    if (this.#kept.has(digest) || bytes.length > this.#totalMax) return;
    // What came over the network may be a small part of a large buffer.
    this.#kept.set(digest, Buffer.from(bytes));
    this.#total += bytes.length;
    for (const [oldest, old] of this.#kept) {
      if (this.#total <= this.#totalMax) return;
      this.#kept.delete(oldest);
      this.#total -= old.length;
    }
  }
}
