/** Every blob that arrives now, and who wants to hear of changes. Bounded by the limits of open downloads and ingests. */
import { type Digest, isDigest } from '../../core/oci/digest.ts';
import type { Ingest } from './ingest-store.ts';
import type { ArrivingBytes, StoreWatch } from './store-watch.ts';

export class Arrivals implements StoreWatch {
  readonly #arriving = new Map<Digest, Set<ArrivingBytes>>();
  readonly #listeners = new Set<(digest: Digest) => void>();

  /** @returns what is called when they arrive no more */
  begin(digest: Digest, bytes: ArrivingBytes): () => void {
    const all = this.#arriving.get(digest) ?? new Set();
    this.#arriving.set(digest, all.add(bytes));
    this.changed(digest);
    return () => {
      all.delete(bytes);
      if (all.size === 0 && this.#arriving.get(digest) === all) this.#arriving.delete(digest);
      this.changed(digest);
    };
  }

  arriving(digest: Digest): ArrivingBytes | undefined {
    let best: ArrivingBytes | undefined;
    for (const one of this.#arriving.get(digest) ?? []) {
      if (best === undefined || firstMissing(one) > firstMissing(best)) best = one;
    }
    return best;
  }

  onChange(listener: (digest: Digest) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(digest: Digest): void {
    for (const listener of this.#listeners) listener(digest);
  }
}

function firstMissing(bytes: ArrivingBytes): number {
  return bytes.missing(0)?.start ?? bytes.size;
}

/** Tells of a Write from its first byte on: an open one that has none may still end without any, when the fleet brings its blob. */
export class WriteArrival {
  readonly #arrivals: Arrivals;
  readonly #ingest: Ingest;
  #ceased: (() => void) | undefined;

  constructor(arrivals: Arrivals, ingest: Ingest) {
    this.#arrivals = arrivals;
    this.#ingest = ingest;
    this.changed();
  }

  changed(): void {
    if (this.#ceased !== undefined || this.#ingest.status().offset === 0) return;
    const arriving = arrivingWrite(this.#ingest);
    this.#ceased = arriving && this.#arrivals.begin(arriving.digest, arriving.bytes);
  }

  end(): void {
    this.#ceased?.();
  }
}

/** A Write as bytes that arrive; undefined when its digest or its size is not known. */
function arrivingWrite(ingest: Ingest): { digest: Digest; bytes: ArrivingBytes } | undefined {
  const { ref, total, expected } = ingest.status();
  const digest = expected ?? digestInRef(ref);
  if (digest === undefined || total === 0) return undefined;
  return {
    digest,
    bytes: {
      state: 'writing',
      size: total,
      missing: (from) => {
        const start = Math.max(from, ingest.status().offset);
        return start < total ? { start, end: total } : undefined;
      },
      read: (into, offset) => ingest.read(into, offset),
    },
  };
}

/**
 * The digest that containerd's refs end in: `k8s.io/12/layer-sha256:<hex>` (`remotes.MakeRefKey`, below the key that the metadata
 * store puts before it).
 */
export function digestInRef(ref: string): Digest | undefined {
  const at = ref.lastIndexOf('sha256:');
  const text = ref.slice(Math.max(0, at));
  return at >= 0 && isDigest(text) ? text : undefined;
}
