/** A map that forgets what was longest unused once it is full: for what may be forgotten without harm. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #entriesMax: number;

  constructor(options: { entriesMax: number }) {
    this.#entriesMax = options.entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  /** Looking so is no use of the entry. */
  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** Oldest use first; not to be mixed with `get`, which changes the order. */
  keys(): Iterable<K> {
    return this.#entries.keys();
  }

  /** Sets an entry, which becomes the youngest. */
  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > this.#entriesMax && !oldest.done) this.#entries.delete(oldest.value);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }
}
