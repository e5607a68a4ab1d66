/** What a registry lists (OCI distribution-spec, "Content discovery"): the tags of a repository, and what refers to a manifest. */
import type { Digest } from '../oci/digest.ts';
import type { CallOptions, Repository } from './registry-client.ts';

/**
 * Where a list goes on: the query of the registry's own `Link` header (RFC 8288), as it wrote it. Registries page in ways
 * of their own (`last`, `next_page`, …), so it is given back to them as it is.
 */
export interface Page {
  next?: string;
}

export interface TagPage extends Page {
  tags: readonly string[];
}

export interface ReferrerPage extends Page {
  /** An index, as the registry wrote it. */
  bytes: Buffer;
  /** Whether the registry itself left out what the query's `artifactType` does not name (`OCI-Filters-Applied`). */
  isFiltered: boolean;
}

/** Errors of both as `RegistryClient`'s. `query`: what stands after `?`, such as `n=50&last=v1`. */
export interface RegistryLists {
  tags(repository: Repository, options: CallOptions & { query?: string }): Promise<TagPage>;
  /** Undefined where the registry does not have this list. */
  referrers(
    repository: Repository,
    subject: Digest,
    options: CallOptions & { query?: string },
  ): Promise<ReferrerPage | undefined>;
}
