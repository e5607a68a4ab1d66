/** The connections that are open, bounded: when there are too many, the one that has been idle longest makes room for the next. */

/** What this needs of a socket. */
export interface Connection {
  destroy(): unknown;
}

export interface OpenConnectionsOptions {
  readonly max: number;
  /** An idle one was closed for another (`idle`), or the new one since none was idle (`new`). */
  onOverflow(closed: 'idle' | 'new'): void;
}

export class OpenConnections {
  readonly #options: OpenConnectionsOptions;
  /** Requests under way on each. */
  readonly #open = new Map<Connection, number>();
  /** Those without any, the longest idle first. */
  readonly #idle = new Set<Connection>();

  constructor(options: OpenConnectionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  opened(connection: Connection): void {
    this.#open.set(connection, 0);
    if (this.#open.size > this.#options.max) this.#makeRoom(connection);
    if (this.#open.has(connection)) this.#idle.add(connection);
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
    this.#idle.delete(connection);
  }

  /** A request begins on it. */
  began(connection: Connection): void {
    this.#add(connection, 1);
  }

  /** Its answer is over. */
  ended(connection: Connection): void {
    this.#add(connection, -1);
  }

  #add(connection: Connection, change: 1 | -1): void {
    const count = this.#open.get(connection);
    if (count === undefined) return;
    this.#open.set(connection, count + change);
    this.#idle.delete(connection);
    if (count + change === 0) this.#idle.add(connection);
  }

  #makeRoom(newest: Connection): void {
    const [oldest] = this.#idle;
    const victim = oldest ?? newest;
    this.closed(victim);
    victim.destroy();
    this.#options.onOverflow(oldest === undefined ? 'new' : 'idle');
  }
}
