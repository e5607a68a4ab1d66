/**
 * The objects of one list, kept up to date: listed once, then watched from that version on, again and again (client-go
 * `tools/cache.Reflector`).
 */
import type { Clock } from '../../../../core/runtime/clock.ts';
import { CodedError, isCode } from '../../../../core/runtime/errors.ts';
import type { Semaphore } from '../../../../core/runtime/semaphore.ts';
import { isRecord, type PlainRecord, textField } from '../../extract/values.ts';
import type { ApiClient } from '../api/api-client.ts';
import { ApiError } from '../api/api-error.ts';
import { listObjects } from '../api/list-objects.ts';
import type { Listing } from '../api/resource.ts';
import { type WatchEvent, watchObjects } from '../api/watch-objects.ts';

export interface ReflectorDeps {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: () => number;
  /** Lists at once: each is several times as large while it is read. */
  readonly lists: Semaphore;
  /** Something of what is kept has changed. */
  onChange(): void;
  onFailure(listing: Listing, error: unknown): void;
  /** What is kept of an object; undefined: nothing. */
  keep(object: PlainRecord): PlainRecord | undefined;
}

/** As client-go: a watch is ended by the server after five to ten minutes. */
const LIFE_MS = 300_000;
/** A watch that ends sooner was not one. */
const QUICK_MS = 1_000;
/** For what nobody but the cluster's operator can change, milliseconds. */
const SLOW_RETRY_MS = 300_000;
const SLOW_CODES = ['PERMISSION_DENIED', 'NOT_FOUND', 'INVALID_ARGUMENT'] as const;
const AGAIN = new CodedError('UNAVAILABLE', 'The watch ended');
/** As of a list. */
const OBJECTS_MAX = 200_000;

export class Reflector {
  readonly listing: Listing;
  readonly #deps: ReflectorDeps;
  #objects = new Map<string, PlainRecord>();
  #version: string | undefined;
  #failure: unknown;
  #isListed = false;
  #attempted = Promise.withResolvers<void>();

  constructor(deps: ReflectorDeps, listing: Listing) {
    this.#deps = deps;
    this.listing = listing;
  }

  objects(): Iterable<PlainRecord> {
    return this.#objects.values();
  }

  /** Why it is not up to date; undefined when it is. */
  get failure(): unknown {
    return this.#failure;
  }

  /** True once a list was there whole. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** Once the first list is there, or has failed. */
  get attempted(): Promise<void> {
    return this.#attempted.promise;
  }

  /** Keeps it up to date until aborted. Never throws. */
  async run({ signal }: { signal: AbortSignal }): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const waitMs = await this.#follow(signal).then(
        (isHealthy) => {
          failures = isHealthy ? 0 : failures + 1;
          return isHealthy ? 0 : this.#backoff(undefined, failures);
        },
        (error) => {
          failures += 1;
          return signal.aborted ? 0 : this.#failed(error, failures);
        },
      );
      await this.#deps.clock.sleep(waitMs, { signal }).catch(() => undefined);
    }
    this.#attempted.resolve();
  }

  /** One list, when it is needed, and one watch. False when the watch ended at once. */
  async #follow(signal: AbortSignal): Promise<boolean> {
    const { client, clock, random } = this.#deps;
    this.#version ??= await this.#deps.lists.run(() => this.#list(signal), { signal });
    const startMs = clock.monotonicMs();
    const options = { resourceVersion: this.#version, lifeMs: Math.round(LIFE_MS * (1 + random())), signal };
    let events = 0;
    for await (const event of watchObjects(client, this.listing, options)) {
      events += 1;
      this.#failure = undefined;
      this.#take(event);
    }
    return events > 0 || clock.monotonicMs() - startMs >= QUICK_MS;
  }

  async #list(signal: AbortSignal): Promise<string> {
    let objects = new Map<string, PlainRecord>();
    let version = '';
    for await (const page of listObjects(this.#deps.client, this.listing, { signal })) {
      if (page.isFirst) objects = new Map();
      for (const object of page.objects) {
        const kept = this.#deps.keep(object);
        if (kept !== undefined) objects.set(keyOf(object), kept);
      }
      version = page.resourceVersion;
    }
    this.#objects = objects;
    this.#isListed = true;
    this.#failure = undefined;
    this.#attempted.resolve();
    this.#deps.onChange();
    return version;
  }

  #take(event: WatchEvent): void {
    this.#version = event.resourceVersion;
    if (event.kind === 'known') return;
    const key = keyOf(event.object);
    const [before, after] = [this.#objects.get(key), event.kind === 'gone' ? undefined : this.#deps.keep(event.object)];
    if (after === undefined) this.#objects.delete(key);
    else this.#objects.set(key, after);
    if (this.#objects.size > OBJECTS_MAX) {
      throw new CodedError('RESOURCE_EXHAUSTED', `"${this.listing.path}" has more than ${OBJECTS_MAX} objects`);
    }
    // Most changes are a status that is not even kept.
    if (contentOf(before) !== contentOf(after)) this.#deps.onChange();
  }

  #failed(error: unknown, failures: number): number {
    this.#failure = error;
    this.#attempted.resolve();
    this.#deps.onFailure(this.listing, error);
    if (mustListAgain(error)) this.#version = undefined;
    return this.#backoff(error, failures);
  }

  #backoff(error: unknown, failures: number): number {
    const { client, random } = this.#deps;
    if (isCode(error, ...SLOW_CODES)) return SLOW_RETRY_MS * (0.5 + random() / 2);
    return client.waitMs(error, failures) ?? client.waitMs(AGAIN, failures) ?? 0;
  }
}

/** The version is too old, or what came after it can never be read. */
function mustListAgain(error: unknown): boolean {
  if (error instanceof ApiError) return error.refusal.status === 410;
  return isCode(error, 'DATA_LOSS', 'RESOURCE_EXHAUSTED');
}

/** All but its version. */
function contentOf(object: PlainRecord | undefined): string | undefined {
  if (object === undefined) return undefined;
  const { resourceVersion: _, generation: __, ...metadata } = isRecord(object.metadata) ? object.metadata : {};
  return JSON.stringify({ ...object, metadata });
}

function keyOf(object: PlainRecord): string {
  return `${textField(object, 'metadata', 'namespace') ?? ''}/${textField(object, 'metadata', 'name') ?? ''}`;
}
