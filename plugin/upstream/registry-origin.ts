/** Registries asked in the name of callers: the calls of `Origin`, each bounded in time, equal ones at the same time made once. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';
import { fingerprintOf } from '../../core/registry/credentials.ts';
import type { RegistryClient, Repository } from '../../core/registry/registry-client.ts';
import type { RegistryLists } from '../../core/registry/registry-lists.ts';
import { SingleFlight } from '../../core/registry/single-flight.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { ProvenManifest } from '../content/manifests.ts';
import type { Origin, OriginCall, OriginReferrers, OriginTags } from '../content/origin.ts';
import type { LentCredentials } from './lent-credentials.ts';
import { type CandidateRepository, repositoryKey } from './registries.ts';

/** A runtime that waits longer for a name has gone to the registry itself, milliseconds. */
export const ANSWER_MS = 10_000;
/** After it nobody waits any more who joined in the meantime, milliseconds. */
const SHARED_MS = ANSWER_MS + 5_000;
/** One attempt, and another one when that failed at once. */
const ATTEMPTS_MAX = 2;

export interface RegistryOriginDeps {
  readonly client: Pick<RegistryClient, 'resolve' | 'manifest' | 'hasBlob'> & RegistryLists;
  readonly lent: LentCredentials;
  /** The repositories that a source may mean, best first. */
  repositoriesOf(source: Source): readonly CandidateRepository[];
  /** Told when a repository has answered this node's own rights; `digest`: that it has this blob. */
  answered(repository: Repository, digest?: Digest): void;
  /** One error for the failures of every repository that was asked. */
  allFailed(what: string, failures: readonly unknown[]): unknown;
}

export function createRegistryOrigin(deps: RegistryOriginDeps): Origin {
  return new RegistryOrigin(deps);
}

class RegistryOrigin implements Origin {
  readonly #deps: RegistryOriginDeps;
  readonly #names = new SingleFlight<Descriptor>({ deadlineMs: SHARED_MS });
  readonly #sizes = new SingleFlight<number>({ deadlineMs: SHARED_MS });

  constructor(deps: RegistryOriginDeps) {
    this.#deps = deps;
  }

  resolve(source: Source, reference: string, call: OriginCall): Promise<Descriptor> {
    const asked = { source, what: `Manifest "${reference}"` };
    return this.#names.run(
      flightKey(source, reference, call),
      ({ signal }) =>
        this.#ask(asked, { ...call, signal }, (repository, options) =>
          this.#deps.client.resolve(repository, reference, options),
        ),
      call,
    );
  }

  manifest(source: Source, digest: Digest, call: OriginCall): Promise<ProvenManifest> {
    const { client } = this.#deps;
    const asked = { source, what: `Manifest "${digest}"` };
    return this.#ask(asked, call, (repository, options) => client.manifest(repository, digest, options));
  }

  blobSize(source: Source, digest: Digest, call: OriginCall): Promise<number> {
    const what = `Blob "${digest}"`;
    const ask = async (repository: Repository, options: { signal: AbortSignal; attemptsMax: number }) => {
      const found = await this.#deps.client.hasBlob(repository, digest, options);
      if (found === undefined) throw new CodedError('NOT_FOUND', `${what} is not in "${repositoryKey(repository)}"`);
      return found.size;
    };
    return this.#sizes.run(
      flightKey(source, digest, call),
      ({ signal }) => this.#ask({ source, what, digest }, { ...call, signal }, ask),
      call,
    );
  }

  tags(source: Source, query: string, call: OriginCall): Promise<OriginTags> {
    const { client } = this.#deps;
    return this.#ask({ source, what: 'Tags' }, call, (repository, options) =>
      client.tags(repository, { ...options, query }),
    );
  }

  referrers(source: Source, subject: { digest: Digest; query: string }, call: OriginCall): Promise<OriginReferrers> {
    const { digest, query } = subject;
    const what = `Referrers of "${digest}"`;
    return this.#ask({ source, what }, call, async (repository, options) => {
      const found = await this.#deps.client.referrers(repository, digest, { ...options, query });
      if (found === undefined)
        throw new CodedError('NOT_FOUND', `${what} are not listed by "${repositoryKey(repository)}"`);
      return found;
    });
  }

  lend(source: Source, digest: Digest, credential: NonNullable<OriginCall['as']>): void {
    for (const repository of this.#deps.repositoriesOf(source)) this.#deps.lent.lend(repository, digest, credential);
  }

  /** The first answer of the repositories that a source may mean. */
  async #ask<T>(
    { source, what, digest }: { source: Source; what: string; digest?: Digest },
    { signal, as }: OriginCall,
    ask: (repository: Repository, options: { signal: AbortSignal; attemptsMax: number }) => Promise<T>,
  ): Promise<T> {
    const { repositoriesOf, answered, allFailed } = this.#deps;
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const failures: unknown[] = [];
    for (const repository of repositoriesOf(source)) {
      const asked = as === undefined ? repository : { ...repository, credential: as };
      try {
        const answer = await ask(asked, { signal: bounded, attemptsMax: ATTEMPTS_MAX });
        // What others may read says nothing of what this node may.
        if (as === undefined) answered(repository, digest);
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        failures.push(
          bounded.aborted ? new CodedError('UNAVAILABLE', `${what} took too long`, { cause: error }) : error,
        );
      }
    }
    throw allFailed(`${what} of "${source.registry}/${source.repository}"`, failures);
  }
}

function flightKey({ registry, repository }: Source, wanted: string, { as }: OriginCall): string {
  return `${registry}/${repository} ${wanted} ${as === undefined ? 'node' : fingerprintOf(as)}`;
}
