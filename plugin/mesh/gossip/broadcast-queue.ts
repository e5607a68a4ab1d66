/**
 * Rumours that still have to be told: those told least often first, and of those the longest that fits, until each has been
 * told as often as the number of members asks for. (memberlist `queue.go`)
 */
import { BROADCASTS_MAX } from '../limits.ts';

interface Rumour {
  readonly message: Buffer;
  /** A newer rumour of the same name takes its place; undefined: nothing replaces it. */
  readonly name: string | undefined;
  readonly id: number;
  readonly onDone: (() => void) | undefined;
  sent: number;
}

export interface BroadcastQueueOptions {
  readonly rumoursMax?: number;
}

export class BroadcastQueue {
  readonly #rumoursMax: number;
  /** By how often its rumours were sent; each sorted by length, then age. */
  readonly #tiers: Rumour[][] = [];
  readonly #named = new Map<string, Rumour>();
  #size = 0;
  #nextId = 0;

  constructor(options: BroadcastQueueOptions = {}) {
    this.#rumoursMax = options.rumoursMax ?? BROADCASTS_MAX;
  }

  get size(): number {
    return this.#size;
  }

  /** `onDone` is called when the rumour is told often enough, replaced, or dropped because there are too many. */
  add(message: Buffer, options: { name?: string; onDone?: () => void } = {}): void {
    const { name, onDone } = options;
    const old = name === undefined ? undefined : this.#named.get(name);
    if (old !== undefined) this.#drop(old);
    while (this.#size >= this.#rumoursMax) this.#dropMostSent();
    this.#nextId += 1;
    this.#insert({ message, name, onDone, id: this.#nextId, sent: 0 });
  }

  /** What fits into `bytesMax`, each with `entryBytes` of framing; told `limit` times a rumour is done. */
  take(options: { bytesMax: number; entryBytes: number; limit: number; countMax: number }): Buffer[] {
    const messages: Buffer[] = [];
    const again: Rumour[] = [];
    let free = options.bytesMax - options.entryBytes;
    for (let tier = 0; tier < this.#tiers.length && messages.length < options.countMax; ) {
      const rumour = free > 0 ? this.#longest(tier, free) : undefined;
      if (rumour === undefined) {
        tier += 1;
        continue;
      }
      free -= rumour.message.length + options.entryBytes;
      messages.push(rumour.message);
      this.#remove(rumour);
      rumour.sent += 1;
      if (rumour.sent >= options.limit) rumour.onDone?.();
      else again.push(rumour);
    }
    for (const rumour of again) this.#insert(rumour);
    return messages;
  }

  #insert(rumour: Rumour): void {
    while (this.#tiers.length <= rumour.sent) this.#tiers.push([]);
    const tier = this.#tiers[rumour.sent] ?? [];
    tier.splice(firstAfter(tier, rumour.message.length, rumour.id), 0, rumour);
    if (rumour.name !== undefined) this.#named.set(rumour.name, rumour);
    this.#size += 1;
  }

  #longest(tierAt: number, bytesMax: number): Rumour | undefined {
    const tier = this.#tiers[tierAt] ?? [];
    return tier[firstAfter(tier, bytesMax, Number.POSITIVE_INFINITY) - 1];
  }

  #remove(rumour: Rumour): void {
    const tier = this.#tiers[rumour.sent] ?? [];
    tier.splice(firstAfter(tier, rumour.message.length, rumour.id) - 1, 1);
    if (rumour.name !== undefined) this.#named.delete(rumour.name);
    this.#size -= 1;
  }

  #drop(rumour: Rumour): void {
    this.#remove(rumour);
    rumour.onDone?.();
  }

  #dropMostSent(): void {
    const rumour = this.#tiers.findLast((tier) => tier.length > 0)?.[0];
    if (rumour !== undefined) this.#drop(rumour);
  }
}

/** The first place after all rumours that are shorter, or as long and not younger. */
function firstAfter(tier: readonly Rumour[], bytes: number, id: number): number {
  let low = 0;
  let high = tier.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const rumour = tier[middle];
    if (rumour === undefined) break;
    const isBefore = rumour.message.length < bytes || (rumour.message.length === bytes && rumour.id <= id);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}
