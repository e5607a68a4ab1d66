/** What the store has promised so far, as the journal tells it. After each kill it is compared, and set to what is there. */
import type { Digest } from '../../../core/oci/digest.ts';
import type { Store } from '../../../plugin/store/store.ts';
import { blobOf, type JournalLine } from './journal.ts';

/** Keys are digests, refs and names; what is in no map was not promised or may have ended. */
export class Ledger {
  readonly containerd = new Set<Digest>();
  readonly released = new Set<Digest>();
  readonly claims = new Map<Digest, number>();
  readonly unclaimed = new Set<Digest>();
  readonly pins = new Map<string, { untilMs: number; digests: Set<Digest> }>();
  readonly unpinned = new Set<string>();
  readonly ingests = new Map<string, { id: string; size: number; offset: number }>();
  readonly partials = new Map<string, { size: number; bytes: number }>();
  lines = 0;

  apply(line: JournalLine): void {
    this.lines += 1;
    if ('will' in line) this.#will(line);
    else this.#did(line);
  }

  /** Deeds of before are certain now: what is there stays promised, what may have ended and is still there counts again. */
  settle(store: Store): void {
    this.released.clear();
    this.unclaimed.clear();
    this.unpinned.clear();
    this.containerd.clear();
    for (const { digest } of store.list('containerd')) this.containerd.add(digest);
    this.claims.clear();
    for (const { digest, size } of store.claims()) this.claims.set(digest, size);
    this.pins.clear();
    for (const pin of store.pins()) this.pins.set(pin.name, { untilMs: pin.untilMs, digests: new Set(pin.digests) });
  }

  #will(line: Extract<JournalLine, { will: string }>): void {
    if (line.will === 'hold') this.released.delete(line.digest);
    else if (line.will === 'pin') this.unpinned.delete(line.name);
    else if (line.will === 'release') this.containerd.delete(line.digest);
    else if (line.will === 'unclaim') this.claims.delete(line.digest);
    else if (line.will === 'unpin') this.pins.delete(line.name);
    else if (line.will === 'use-ingest') this.ingests.delete(line.ref);
    else this.partials.delete(line.id);
  }

  #did(line: Extract<JournalLine, { did: string }>): void {
    if (line.did === 'commit') this.#committed(line);
    else if (line.did === 'hold') this.#held(line.digest);
    else if (line.did === 'release') this.released.add(line.digest);
    else if (line.did === 'claim') this.#claimed(line);
    else if (line.did === 'unclaim') this.unclaimed.add(line.digest);
    else if (line.did === 'pin') this.#pinned(line);
    else if (line.did === 'unpin') this.unpinned.add(line.name);
    else if (line.did === 'close-ingest') this.ingests.set(line.ref, line);
    else if (line.did === 'close-partial') this.partials.set(line.id, line);
  }

  #committed(line: Extract<JournalLine, { did: 'commit' }>): void {
    if (line.holds.includes('containerd')) this.#held(blobOf(line.id, line.size).digest);
  }

  #held(digest: Digest): void {
    this.containerd.add(digest);
    this.released.delete(digest);
  }

  #claimed(line: Extract<JournalLine, { did: 'claim' }>): void {
    this.claims.set(line.digest, line.size);
    this.unclaimed.delete(line.digest);
  }

  #pinned(line: Extract<JournalLine, { did: 'pin' }>): void {
    const pin = this.pins.get(line.name) ?? { untilMs: 0, digests: new Set<Digest>() };
    pin.untilMs = Math.max(pin.untilMs, line.untilMs);
    for (const digest of line.digests) pin.digests.add(digest);
    this.pins.set(line.name, pin);
    this.unpinned.delete(line.name);
  }
}
