/**
 * What this node may believe of its access to registries, from what they answered before. Pure: time comes in. Refusals
 * last until the credentials change, or long enough that a credential helper may have changed its mind, which no version
 * tells; that a blob is absent lasts for a while, since somebody may push it.
 */
import type { Digest } from '../../core/oci/digest.ts';
import { BoundedMap } from '../../core/runtime/bounded-map.ts';
import type { Repository } from '../../core/registry/registry-client.ts';
import { isCode } from '../../core/runtime/errors.ts';
import type { Route } from '../content/blob-source.ts';
import { type CandidateRepository, repositoryKey } from './registries.ts';

/** How long a 404 for a blob is believed, milliseconds. */
export const ABSENT_MS = 60_000;
/** How long a refusal is believed, milliseconds; the repository is asked again after it, before anything is believed. */
export const REFUSED_MS = 30 * 60_000;
/** How long a registry that could not be asked is not asked for its word again, milliseconds. */
export const UNREACHABLE_MS = 5_000;
const REPOSITORIES_MAX = 8_192;
const HOSTS_MAX = 1_024;
/** Single blobs of which something is remembered. */
const BLOBS_MAX = 16_384;

/** `unknown`: only asking would tell. */
export type Belief = Exclude<Route, 'asking'> | 'unknown';

type RepositoryMemory = { state: 'answered' } | { state: 'refused'; untilMs: number };

export class AccessMemory {
  #generation = 0;
  #repositories = new BoundedMap<string, RepositoryMemory>({ entriesMax: REPOSITORIES_MAX });
  /** Registries that this node has a credential for. */
  #credentialHosts = new BoundedMap<string, true>({ entriesMax: HOSTS_MAX });
  /** When a blob's absence, or the failure to ask about it, is forgotten. */
  #absentUntilMs = new BoundedMap<string, number>({ entriesMax: BLOBS_MAX });

  /** Grows with each change of credentials: what was asked under an earlier one says nothing of the new ones. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether a blob can be had from a repository. */
  belief(repository: CandidateRepository, digest: Digest, nowMs: number): Belief {
    if ((this.#absentUntilMs.get(blobKey(repository, digest)) ?? 0) > nowMs) return 'no';
    const known = this.#repositories.get(repositoryKey(repository));
    if (known?.state === 'answered') return 'yes';
    if (known?.state === 'refused') return known.untilMs > nowMs ? 'no' : 'unknown';
    if (repository.isGuess) return 'unknown';
    // What one repository answers says nothing of another: beside every public image there are private ones, and a claim
    // that ends in a refusal fails a pull.
    const hasCredential =
      repository.registry.credential !== undefined || this.#credentialHosts.get(repository.registry.host);
    return hasCredential ? 'yes' : 'unknown';
  }

  /** `digest`: a blob that it said it has, whatever it said before. */
  answered(repository: Repository, digest?: Digest): void {
    this.#repositories.set(repositoryKey(repository), { state: 'answered' });
    if (digest !== undefined) this.#absentUntilMs.delete(blobKey(repository, digest));
  }

  hasCredential(repository: Repository): void {
    this.#credentialHosts.set(repository.registry.host, true);
  }

  /** Takes in why a repository did not give a blob. */
  failed(
    repository: Repository,
    digest: Digest,
    failure: { error: unknown; nowMs: number; generation?: number },
  ): void {
    const { error, nowMs, generation = this.#generation } = failure;
    if (generation !== this.#generation) return;
    if (isCode(error, 'UNAUTHENTICATED', 'PERMISSION_DENIED')) {
      this.#repositories.set(repositoryKey(repository), { state: 'refused', untilMs: nowMs + REFUSED_MS });
    }
    if (isCode(error, 'NOT_FOUND')) this.#absentUntilMs.set(blobKey(repository, digest), nowMs + ABSENT_MS);
  }

  /** The registry did not say anything of use; it is not asked again at once. */
  unreachable(repository: Repository, digest: Digest, nowMs: number): void {
    this.#absentUntilMs.set(blobKey(repository, digest), nowMs + UNREACHABLE_MS);
  }

  /** Other credentials: everything that was refused may be had now, and whatever was absent may have been hidden. */
  forgetRefusals(): void {
    this.#generation += 1;
    this.#repositories = new BoundedMap({ entriesMax: REPOSITORIES_MAX });
    this.#credentialHosts = new BoundedMap({ entriesMax: HOSTS_MAX });
    this.#absentUntilMs = new BoundedMap({ entriesMax: BLOBS_MAX });
  }
}

function blobKey(repository: Repository, digest: Digest): string {
  return `${repositoryKey(repository)}@${digest}`;
}
