/**
 * Who talks to whom in one swarm: a random graph in which everyone has about the same few neighbours. One that comes is put
 * into the middle of random edges; the ends that one that goes leaves loose are tied together. Pure.
 * (Law and Siu, "Distributed construction of random expander networks", 2003)
 */

/** Neighbours of each member, when there are enough. Such graphs have a diameter of log N / log 7. */
export const DEGREE = 8;

export class NeighbourGraph {
  readonly #random: () => number;
  readonly #edges = new Map<string, Set<string>>();
  readonly #names: string[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  has(name: string): boolean {
    return this.#edges.has(name);
  }

  neighbours(name: string): ReadonlySet<string> {
    return this.#edges.get(name) ?? new Set();
  }

  add(name: string): void {
    if (this.#edges.has(name)) return;
    this.#edges.set(name, new Set());
    this.#names.push(name);
    for (let tries = 0; tries < DEGREE * 4 && this.#degree(name) < DEGREE; tries += 1) this.#tieIn(name);
  }

  remove(name: string): void {
    const loose = [...this.neighbours(name)];
    for (const other of loose) this.#untie(name, other);
    this.#edges.delete(name);
    const at = this.#names.indexOf(name);
    const last = this.#names.pop();
    if (last !== undefined && last !== name) this.#names[at] = last;
    for (const one of loose) for (let tries = 0; tries < 4 && this.#degree(one) < DEGREE; tries += 1) this.#tieIn(one);
  }

  /** Ties a member to one with room, or into an edge of one that has none. */
  #tieIn(name: string): void {
    const other = this.#names[Math.floor(this.#random() * this.#names.length)];
    if (other === undefined || other === name || this.neighbours(name).has(other)) return;
    if (this.#degree(other) < DEGREE) {
      this.#tie(name, other);
      return;
    }
    if (this.#degree(name) > DEGREE - 2) return;
    const third = this.#oneOf(
      [...this.neighbours(other)].filter((one) => one !== name && !this.neighbours(name).has(one)),
    );
    if (third === undefined) return;
    this.#untie(other, third);
    this.#tie(name, other);
    this.#tie(name, third);
  }

  #tie(a: string, b: string): void {
    this.#edges.get(a)?.add(b);
    this.#edges.get(b)?.add(a);
  }

  #untie(a: string, b: string): void {
    this.#edges.get(a)?.delete(b);
    this.#edges.get(b)?.delete(a);
  }

  #degree(name: string): number {
    return this.#edges.get(name)?.size ?? 0;
  }

  #oneOf(names: readonly string[]): string | undefined {
    return names[Math.floor(this.#random() * names.length)];
  }
}
