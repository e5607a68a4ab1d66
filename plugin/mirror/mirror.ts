/**
 * The mirror's seam: the pull side of the OCI distribution specification over HTTP, for runtimes on this machine. It reads
 * blobs where every edge does and asks registries through `Origin`; it knows neither the disk nor other nodes.
 */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { HostPort } from '../../core/runtime/config-address.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { ContentFetcher, ContentReader } from '../content/content.ts';
import type { KeptManifests } from '../content/kept-manifests.ts';
import type { KnownBlobs } from '../content/known-blobs.ts';
import type { Origin } from '../content/origin.ts';

/** One tag of one repository. */
export interface TagName {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

/** What a tag pointed to, and how long ago its registry said so, milliseconds. */
export interface DatedTag {
  readonly descriptor: Descriptor;
  readonly ageMs: number;
}

/** What tags last pointed to, for the time when their registry cannot be asked. Bounded; a hint that is never preferred to the registry. */
export interface TagMemory {
  last(name: TagName): Promise<DatedTag | undefined>;
  /** Its registry has just said so. */
  remember(name: TagName, descriptor: Descriptor): void;
}

export interface MirrorDeps {
  readonly content: ContentReader & ContentFetcher;
  readonly manifests: KeptManifests;
  readonly known: Pick<KnownBlobs, 'get' | 'sources' | 'learnSource'>;
  readonly origin: Origin;
  readonly tags: TagMemory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** What may change while it runs. */
export interface MirrorRules {
  /** Whose rights decide: this node's (`mirror.authorize`'s default), or those that each caller shows. */
  readonly authorize?: 'node' | 'caller';
  /** When the last known digest of a tag may be served; default `upstream-down`. */
  readonly staleTags?: 'never' | 'upstream-down';
  /** Registries that the first component of a path may name where no `ns` does: those that the operator wrote down. */
  readonly pathRegistries?: readonly string[];
}

export interface MirrorOptions extends MirrorRules {
  readonly listen: HostPort;
  /** A blob of which no byte comes for so long is answered with 503, or cut; milliseconds, default 20,000. */
  readonly patienceMs?: number;
  /** Names besides addresses and `localhost` that a Host header may carry on a loopback listener: this node's own. */
  readonly names?: readonly string[];
}

export interface Mirror extends Service {
  /** For every request from now on; what is left out has its default. */
  configure(rules: MirrorRules): void;
  /** Where it listens, as `host:port`; undefined before start and after stop. */
  address(): string | undefined;
}
