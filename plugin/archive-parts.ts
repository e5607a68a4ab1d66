/** Archives in and out, and manifests without a registry, put together. */
import { arch } from 'node:os';
import { hostPlatform } from '../core/oci/platform.ts';
import type { Clock } from '../core/runtime/clock.ts';
import type { Export, Import } from './archive/archive.ts';
import { createExport } from './archive/export-archive.ts';
import { createFallbackManifests } from './archive/fallback-manifests.ts';
import { createImport } from './archive/import-archive.ts';
import type { Content } from './content/content.ts';
import type { KnownBlobs } from './content/known-blobs.ts';
import type { Manifests } from './content/manifests.ts';
import type { TagMemory } from './mirror/mirror.ts';
import type { Store } from './store/store.ts';
import type { Upstream } from './upstream/upstream.ts';

/** What is new is told to its owners after 200 ms, in one call to each, milliseconds. */
const ANNOUNCED_MS = 500;

export interface ArchivePartsDeps {
  readonly store: Store;
  readonly content: Content;
  readonly known: KnownBlobs;
  readonly upstream: Upstream;
  /** undefined = tags are not remembered: there is no mirror to serve them. */
  readonly tags: TagMemory | undefined;
  /** undefined = nobody is told of anything. */
  readonly fleet: object | undefined;
  readonly clock: Clock;
}

export interface ArchiveParts {
  /** Also what the fleet knows, while a registry cannot be asked. */
  readonly manifests: Manifests;
  readonly archives: { readonly import: Import; readonly export: Export };
}

export function composeArchives(deps: ArchivePartsDeps): ArchiveParts {
  const { store, content, known, tags, clock } = deps;
  const last: TagMemory['last'] = async (name) => tags?.last(name);
  const manifests = createFallbackManifests({ upstream: deps.upstream, tags: { last }, content, known, store });
  return {
    manifests,
    archives: {
      import: createImport({
        store,
        known,
        clock,
        ...(deps.fleet && { announced: () => clock.sleep(ANNOUNCED_MS) }),
        named: ({ domain, path, tag }, descriptor) => {
          if (tag !== undefined) tags?.remember({ registry: domain, repository: path, tag }, descriptor);
        },
      }),
      export: createExport({
        store,
        content,
        known,
        manifests,
        clock,
        reader: content,
        platform: hostPlatform(arch()),
      }),
    },
  };
}
