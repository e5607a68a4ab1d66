/** Rights of callers, lent to the download of one blob of one repository. In memory, for minutes; this node's own do not change. */
import type { Digest } from '../../core/oci/digest.ts';
import { BoundedMap } from '../../core/runtime/bounded-map.ts';
import type { Credential } from '../../core/registry/credentials.ts';
import type { Repository } from '../../core/registry/registry-client.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { repositoryKey } from './registries.ts';

/** As long as a caller's word counts anywhere, milliseconds. */
export const LENT_MS = 5 * 60_000;
/** Blobs asked for by callers within that time. */
const LENT_MAX = 4_096;

export class LentCredentials {
  readonly #lent = new BoundedMap<string, { credential: Credential; untilMs: number }>({ entriesMax: LENT_MAX });
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  lend(repository: Repository, digest: Digest, credential: Credential): void {
    this.#lent.set(keyOf(repository, digest), { credential, untilMs: this.#clock.monotonicMs() + LENT_MS });
  }

  /** What was lent for a blob of a repository and still counts. */
  get(repository: Repository, digest: Digest): Credential | undefined {
    const key = keyOf(repository, digest);
    const found = this.#lent.get(key);
    if (found === undefined || found.untilMs > this.#clock.monotonicMs()) return found?.credential;
    this.#lent.delete(key);
    return undefined;
  }

  /** The registry does not take it any more. */
  drop(repository: Repository, digest: Digest): void {
    this.#lent.delete(keyOf(repository, digest));
  }
}

function keyOf(repository: Repository, digest: Digest): string {
  return `${repositoryKey(repository)}@${digest}`;
}
