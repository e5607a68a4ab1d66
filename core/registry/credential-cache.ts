/** Remembers what a credential source said, because asking may start a program. */
import type { Clock } from '../runtime/clock.ts';
import { BoundedMap } from '../runtime/bounded-map.ts';
import type { Credential, CredentialSource } from './credentials.ts';
import { SingleFlight } from './single-flight.ts';

/** Clouds' helpers hand out credentials that live for minutes to hours, milliseconds. */
const REUSE_MS = 60_000;
const ENTRIES_MAX = 1024;
/** Longer than the deadlines of helpers and of the kubelet's plugins, milliseconds. */
const DEADLINE_MS = 65_000;

interface Entry {
  version: string;
  atMs: number;
  credential: Credential | undefined;
}

/** A credential source in front of another; `forget` makes it ask again. */
export class CredentialCache implements CredentialSource {
  readonly #source: CredentialSource;
  readonly #clock: Clock;
  readonly #entries = new BoundedMap<string, Entry>({ entriesMax: ENTRIES_MAX });
  readonly #flights = new SingleFlight<Credential | undefined>({ deadlineMs: DEADLINE_MS });

  constructor(source: CredentialSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  version(options: { signal: AbortSignal }): Promise<string> {
    return this.#source.version(options);
  }

  async get(host: string, options: { signal: AbortSignal; repository?: string }): Promise<Credential | undefined> {
    const version = await this.version(options);
    const key = keyOf(host, options.repository);
    const known = this.#entries.get(key);
    if (known?.version === version && this.#clock.monotonicMs() - known.atMs < REUSE_MS) return known.credential;
    const { repository } = options;
    const ask = async ({ signal }: { signal: AbortSignal }) => {
      const credential = await this.#source.get(host, { signal, ...(repository === undefined ? {} : { repository }) });
      this.#entries.set(key, { version, atMs: this.#clock.monotonicMs(), credential });
      return credential;
    };
    return this.#flights.run(`${key} ${version}`, ask, options);
  }

  forget(host: string, repository?: string): void {
    this.#entries.delete(keyOf(host, repository));
  }
}

function keyOf(host: string, repository: string | undefined): string {
  return `${host}/${repository ?? ''}`;
}
