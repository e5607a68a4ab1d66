/**
 * Whether containerd answers, kept fresh in the background so that the claim rules can ask from memory: a cheap call now
 * and then, and at once when the connection breaks. Knows no gRPC.
 */
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { ContainerdEvents } from './events.ts';

/** A containerd that hangs is noticed within this and the probe's own deadline; a broken connection at once. */
const PROBE_EVERY_MS = 5000;
/** While it is away: soon at first (a restart takes a second), then seldom enough to cost nothing. */
const BACKOFF_BASE_MS = 100;
const BACKOFF_MAX_MS = 2000;

export interface ReachabilityDeps {
  /** Asks containerd for its version, with a deadline. */
  probe(options: { signal: AbortSignal }): Promise<string>;
  /** Resolves when a connection that stood is gone. */
  connectionLost(): Promise<void>;
  clock: Clock;
  events: ContainerdEvents;
}

export class Reachability {
  readonly #deps: ReachabilityDeps;
  readonly #listeners = new Set<() => void>();
  readonly #ending = new AbortController();
  #isReachable = false;
  #isWatching = false;
  #nap = new AbortController();
  #running: Promise<void> | undefined;

  constructor(deps: ReachabilityDeps) {
    this.#deps = deps;
  }

  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** `listener` is called at each connect from now on, until the returned function is called. */
  onConnect(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(signal: AbortSignal): void {
    signal.addEventListener('abort', () => this.#end(), { once: true });
    if (signal.aborted) this.#end();
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#running;
    this.#isReachable = false;
  }

  #end(): void {
    this.#ending.abort();
    this.#nap.abort();
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#ending.signal.aborted; ) {
      failures = (await this.#probe()) ? 0 : failures + 1;
      await this.#pause(failures);
    }
  }

  async #probe(): Promise<boolean> {
    const { signal } = this.#ending;
    try {
      const version = await this.#deps.probe({ signal });
      if (!signal.aborted) this.#connected(version);
      return true;
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
      return false;
    }
  }

  async #pause(failures: number): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#nap = new AbortController();
    if (failures === 0) this.#watch();
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.max(0, failures - 1));
    const waitMs = failures === 0 ? PROBE_EVERY_MS : backoffMs;
    await this.#deps.clock.sleep(waitMs, { signal: this.#nap.signal }).catch(() => undefined);
  }

  /** One watcher at a time: it lives until the connection breaks. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    void this.#deps.connectionLost().then(() => {
      this.#isWatching = false;
      if (this.#ending.signal.aborted) return;
      this.#failed(new CodedError('UNAVAILABLE', 'Connection to containerd broke'));
      this.#nap.abort();
    });
  }

  #connected(version: string): void {
    if (this.#isReachable) return;
    this.#isReachable = true;
    this.#deps.events.connected(version);
    for (const listener of [...this.#listeners]) listener();
  }

  #failed(error: unknown): void {
    if (this.#isReachable) this.#deps.events.lost(error);
    else this.#deps.events.probeFailed(error);
    this.#isReachable = false;
  }
}
