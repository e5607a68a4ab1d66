/**
 * Finds the mesh and keeps finding it: until somebody answers, with back-off, for ever; then, more rarely, whoever is
 * configured and not a member yet, so that meshes that began apart become one.
 */
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import { backoffMs } from '../../../core/runtime/retry.ts';
import type { MeshEvents } from '../events.ts';
import type { Endpoint } from '../net/transport.ts';
import { type JoinAddress, type NameResolver, type Resolved, resolveJoin } from './join-addresses.ts';

/** A DNS server that says nothing is waited for so long. */
const RESOLVE_TIMEOUT_MS = 10_000;
const BACKOFF = { baseMs: 1_000, capMs: 30_000 };
/** Of a whole wait at least this share, so that nobody hammers. */
const RETRY_LEAST_MS = 250;
const RECHECK_MS = 60_000;

export interface JoinerDeps {
  readonly addresses: readonly JoinAddress[];
  readonly resolver: NameResolver;
  /** @throws when nobody answers there */
  readonly join: (to: Endpoint) => Promise<void>;
  /** True for ourselves and for members that are alive. */
  readonly isMember: (endpoint: Endpoint) => boolean;
  readonly isAlone: () => boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: MeshEvents;
}

export class Joiner {
  readonly #deps: JoinerDeps;

  constructor(deps: JoinerDeps) {
    this.#deps = deps;
  }

  /** Until `signal` is aborted. Never rejects. */
  async run({ signal }: { signal: AbortSignal }): Promise<void> {
    const { addresses, clock, random } = this.#deps;
    if (addresses.length === 0) return;
    let failures = 0;
    while (!signal.aborted) {
      const failure = await this.#round(signal);
      failures = failure === undefined ? 0 : failures + 1;
      const waitMs = failures === 0 ? RECHECK_MS : RETRY_LEAST_MS + backoffMs(failures, BACKOFF, random);
      if (failure !== undefined && !signal.aborted) {
        this.#deps.events.joinFailed({ addresses: addresses.length, failures, waitMs, error: failure });
      }
      await clock.sleep(waitMs, { signal }).catch(() => undefined);
    }
  }

  /** @returns why nobody answered, when we are still alone */
  async #round(signal: AbortSignal): Promise<unknown> {
    const { isMember, isAlone, join, events } = this.#deps;
    const { endpoints, failures } = await this.#resolve(signal);
    const strangers = endpoints.filter((endpoint) => !isMember(endpoint));
    const outcomes = await Promise.allSettled(
      strangers.map(async (endpoint) => {
        await join(endpoint);
        events.joined(endpoint);
      }),
    );
    // Alone with nobody but ourselves configured: the first member of a new mesh.
    if (!isAlone() || (strangers.length === 0 && failures.length === 0)) return undefined;
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    return refused?.reason ?? failures[0] ?? new CodedError('UNAVAILABLE', 'Nobody joined us');
  }

  async #resolve(signal: AbortSignal): Promise<Resolved> {
    const { addresses, resolver, clock } = this.#deps;
    const over = new AbortController();
    const late = clock.sleep(RESOLVE_TIMEOUT_MS, { signal: AbortSignal.any([signal, over.signal]) }).then(
      () => ({ endpoints: [], failures: [new CodedError('UNAVAILABLE', 'Name look-ups take too long')] }),
      () => ({ endpoints: [], failures: [] }),
    );
    try {
      return await Promise.race([resolveJoin(addresses, resolver), late]);
    } finally {
      over.abort();
    }
  }
}
