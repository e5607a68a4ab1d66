/** Outgoing connections: a bounded number to each peer and in all, used again while they are warm. */
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError, isCode, messageOf } from '../../../core/runtime/errors.ts';
import { Semaphore } from '../../../core/runtime/semaphore.ts';
import type { PeerAddress } from '../peer.ts';
import { type Connected, isDistrust } from './connect.ts';
import type { PeerConnection } from './peer-connection.ts';

export interface ConnectionPoolDeps {
  readonly connect: (peer: PeerAddress, signal: AbortSignal) => Promise<Connected>;
  readonly clock: Clock;
  /** This node and `peer` take each other for outsiders. */
  readonly onDistrust: (facts: { peer: string; err: unknown }) => void;
}

export interface ConnectionPoolLimits {
  /** Used at once: in all, and to one peer. */
  readonly usedMax: number;
  readonly perPeerMax: number;
  readonly waitersMax: number;
  readonly idleMax: number;
  readonly idleMs: number;
  /** A response that gets no byte for so long is given up. */
  readonly silentMs: number;
}

interface Entry extends Connected {
  readonly key: string;
  readonly peer: string;
  idleSinceMs: number | undefined;
}

interface PeerTurns {
  readonly semaphore: Semaphore;
  users: number;
}

export class ConnectionPool {
  readonly #deps: ConnectionPoolDeps;
  readonly #limits: ConnectionPoolLimits;
  readonly #turns: Semaphore;
  readonly #peerTurns = new Map<string, PeerTurns>();
  /** Oldest idle first. */
  readonly #entries = new Set<Entry>();
  #isStopped = false;
  /** Grows when keys go: what was being opened before rests on a keyring that may be gone. */
  #epoch = 0;

  constructor(deps: ConnectionPoolDeps, limits: ConnectionPoolLimits) {
    this.#deps = deps;
    this.#limits = limits;
    this.#turns = new Semaphore({ permits: limits.usedMax, waitersMax: limits.waitersMax });
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Runs `use` with a connection to `peer`. One that was idle may have died unnoticed, so then `use` is run once more with a new one,
   * unless it says that bytes have come.
   */
  async run<T>(peer: PeerAddress, use: (connection: PeerConnection) => Promise<T>, call: PoolCall): Promise<T> {
    const key = `${peer.name} ${peer.host} ${peer.port}`;
    return this.#inTurn(key, call.signal, async () => {
      const idle = this.#takeIdle(key);
      if (idle !== undefined) {
        try {
          return await this.#use(idle, use, call);
        } catch (error) {
          if (!idle.connection.isClosed || !call.mayRepeat() || call.signal.aborted) throw error;
        }
      }
      return await this.#use(await this.#open(key, peer, call.signal), use, call);
    });
  }

  /** Closes those that rest on one of `authorityIds`. @returns how many */
  closeThoseOf(authorityIds: ReadonlySet<string>): number {
    if (authorityIds.size > 0) this.#epoch += 1;
    const found = [...this.#entries].filter((entry) => entry.authorityIds.some((id) => authorityIds.has(id)));
    for (const entry of found) this.#close(entry, 'its key was removed from the mesh');
    return found.length;
  }

  /** To be called now and then: gives up the silent and the long idle. */
  sweep(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const entry of [...this.#entries]) {
      if (entry.idleSinceMs === undefined) {
        if (entry.connection.silentMs() > this.#limits.silentMs) this.#close(entry, 'the peer is silent');
      } else if (entry.connection.isClosed || nowMs - entry.idleSinceMs > this.#limits.idleMs) {
        this.#close(entry, 'nobody uses it');
      }
    }
  }

  start(): void {
    this.#isStopped = false;
  }

  stop(): void {
    this.#isStopped = true;
    for (const entry of [...this.#entries]) this.#close(entry, 'the peer port stops');
  }

  async #inTurn<T>(key: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const turns = this.#peerTurns.get(key) ?? { semaphore: this.#newPeerTurns(), users: 0 };
    this.#peerTurns.set(key, turns);
    turns.users += 1;
    try {
      return await turns.semaphore.run(() => this.#turns.run(task, { signal }), { signal });
    } finally {
      turns.users -= 1;
      if (turns.users === 0) this.#peerTurns.delete(key);
    }
  }

  #newPeerTurns(): Semaphore {
    return new Semaphore({ permits: this.#limits.perPeerMax, waitersMax: this.#limits.waitersMax });
  }

  /** The one used last, which is the most likely to live. */
  #takeIdle(key: string): Entry | undefined {
    const found = [...this.#entries].findLast((entry) => entry.key === key && entry.idleSinceMs !== undefined);
    if (found === undefined) return undefined;
    found.idleSinceMs = undefined;
    if (found.connection.isFree) return found;
    this.#close(found, 'it cannot be used again');
    return this.#takeIdle(key);
  }

  async #open(key: string, peer: PeerAddress, signal: AbortSignal): Promise<Entry> {
    const epoch = this.#epoch;
    const connected = await this.#deps.connect(peer, signal).catch((error: unknown) => {
      throw isCode(error, 'UNAUTHENTICATED') ? this.#distrusted(peer.name, error) : error;
    });
    const entry: Entry = { ...connected, key, peer: peer.name, idleSinceMs: undefined };
    this.#entries.add(entry);
    if (this.#isStopped || epoch !== this.#epoch) {
      this.#close(entry, 'the peer port changed meanwhile');
      throw new CodedError('UNAVAILABLE', `Connection to "${peer.name}" was closed: the peer port changed meanwhile`);
    }
    return entry;
  }

  async #use<T>(entry: Entry, use: (connection: PeerConnection) => Promise<T>, { signal }: PoolCall): Promise<T> {
    const onAbort = () => this.#close(entry, 'its user gave up');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const result = await use(entry.connection);
      this.#giveBack(entry);
      return result;
    } catch (error) {
      this.#giveBack(entry);
      signal.throwIfAborted();
      throw isDistrust(error) || isCode(error, 'UNAUTHENTICATED') ? this.#distrusted(entry.peer, error) : error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** A response that was not taken to its end leaves its connection unusable. */
  #giveBack(entry: Entry): void {
    if (!entry.connection.isFree) {
      this.#close(entry, 'its response was not taken whole');
      return;
    }
    entry.idleSinceMs = this.#deps.clock.monotonicMs();
    // To the end: the set keeps the order in which entries came in.
    this.#entries.delete(entry);
    this.#entries.add(entry);
    const idle = [...this.#entries].filter(({ idleSinceMs }) => idleSinceMs !== undefined);
    const [oldest] = idle;
    if (idle.length > this.#limits.idleMax && oldest !== undefined) this.#close(oldest, 'too many are idle');
  }

  #distrusted(peer: string, err: unknown): CodedError {
    this.#deps.onDistrust({ peer, err });
    return new CodedError(
      'UNAUTHENTICATED',
      `Peer "${peer}" and this node do not trust each other: ${messageOf(err)}`,
      {
        cause: err,
      },
    );
  }

  #close(entry: Entry, why: string): void {
    this.#entries.delete(entry);
    entry.connection.close(new CodedError('UNAVAILABLE', `Connection to the peer was closed: ${why}`));
  }
}

export interface PoolCall {
  readonly signal: AbortSignal;
  /** Nothing of the answer has been handed on yet. */
  readonly mayRepeat: () => boolean;
}
