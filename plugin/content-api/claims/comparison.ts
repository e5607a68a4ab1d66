/**
 * Comparing what containerd lists, in every namespace, with what is here and claimed: at each connect and now and then.
 * A power cut may have taken a claim's file, or a record may have come after the claim was given back. Nothing follows
 * from a list that was interrupted.
 */
import type { Digest } from '../../../core/oci/digest.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import { Semaphore } from '../../../core/runtime/semaphore.ts';
import type { Containerd, ContainerdContent } from '../../containerd/containerd.ts';
import type { ContentFetcher } from '../../content/content.ts';
import type { KnownBlobs } from '../../content/known-blobs.ts';
import type { BlobHolder, BlobReader } from '../../store/blob-store.ts';
import type { ClaimMode } from './claim-rules.ts';
import { compare } from './compare-rules.ts';
import type { ClaimEvents } from './events.ts';
import type { GiveBacks } from './give-backs.ts';
import { sourcesInLabels } from './source-names.ts';
import type { StandingClaims } from './standing-claims.ts';
import { wantOf } from './want.ts';

/** How long sources are asked whether they could bring a blob that containerd believes to have. */
const ROUTE_MS = 5000;
/** Blobs that are looked after at once. */
const MENDING_MAX = 16;

export interface ComparisonDeps {
  containerd: Containerd;
  store: Pick<BlobReader, 'stat'> & Pick<BlobHolder, 'hold'>;
  content: Pick<ContentFetcher, 'prepare' | 'route' | 'settled'>;
  known: KnownBlobs;
  standing: StandingClaims;
  giveBacks: GiveBacks;
  mode: ClaimMode;
  clock: Clock;
  events: ClaimEvents;
}

/** What any namespace lists, each blob once. */
export type Listed = ReadonlyMap<Digest, ContainerdContent>;

/** One whole comparison with what follows from it. Errors: those of the calls; what was done until then stays done. */
export async function compareWithContainerd(
  deps: ComparisonDeps,
  listed: Listed,
  options: { signal: AbortSignal },
): Promise<void> {
  const { link, missing, ended, isWrongDirectory } = compare({
    listed,
    claims: deps.standing.wanted(),
    stat: (digest) => deps.store.stat(digest),
    isTakenCareOf: (digest) => isTakenCareOf(deps, digest),
    nowMs: deps.clock.now(),
  });
  for (const digest of ended) deps.standing.end(digest);
  for (const digest of link) await deps.store.hold(digest, 'containerd');
  const counts = { listed: listed.size, missing: missing.length };
  if (isWrongDirectory) deps.events.wrongDirectory(counts);
  else await mendAll(deps, missing, options);
  deps.events.compared({ ...counts, linked: link.length, ended: ended.length });
}

/** Every namespace's list, one after another; a blob of several namespaces once, with all its labels. */
export async function listEverything(containerd: Containerd, options: { signal: AbortSignal }): Promise<Listed> {
  const listed = new Map<Digest, ContainerdContent>();
  for (const namespace of await containerd.namespaces(options)) {
    for (const content of await containerd.contents(namespace, options)) {
      const labels = new Map([...(listed.get(content.digest)?.labels ?? []), ...content.labels]);
      listed.set(content.digest, { ...content, labels });
    }
  }
  return listed;
}

function isTakenCareOf(deps: ComparisonDeps, digest: Digest): boolean {
  return deps.standing.get(digest) !== undefined || deps.giveBacks.isRunning(digest);
}

async function mendAll(
  deps: ComparisonDeps,
  missing: readonly ContainerdContent[],
  options: { signal: AbortSignal },
): Promise<void> {
  const turns = new Semaphore({ permits: MENDING_MAX, waitersMax: missing.length });
  await Promise.all(missing.map((content) => turns.run(() => mend(deps, content, options), options)));
}

/** Claimed anew when it can be had, else given back. */
async function mend(deps: ComparisonDeps, content: ContainerdContent, options: { signal: AbortSignal }): Promise<void> {
  const want = wantOf(deps.known, content.digest, content.size, sourcesInLabels(content.labels));
  const isClaimable = mayBeClaimed(deps, content) && (await hasRoute(deps, want, options));
  // Meanwhile it may have been written, claimed or deleted.
  if (deps.store.stat(content.digest) !== undefined || isTakenCareOf(deps, content.digest)) return;
  if (!isClaimable) return deps.giveBacks.begin(content.digest, 'containerd lists it, and it is not here');
  if (await isListedStill(deps, content.digest, options)) deps.standing.make(want);
}

function mayBeClaimed(deps: ComparisonDeps, { digest, size }: ContainerdContent): boolean {
  const role = deps.known.get(digest)?.role;
  const isManifest = role === 'manifest' || role === 'index';
  return deps.mode === 'fleet' && size > 0 && !isManifest && !deps.giveBacks.has(digest);
}

async function hasRoute(
  deps: ComparisonDeps,
  want: ReturnType<typeof wantOf>,
  { signal }: { signal: AbortSignal },
): Promise<boolean> {
  deps.content.prepare([want]);
  if (deps.content.route(want) === 'asking') {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(ROUTE_MS)]);
    await deps.content.settled(want, { signal: bound }).catch(() => signal.throwIfAborted());
  }
  return deps.content.route(want) === 'yes';
}

async function isListedStill(deps: ComparisonDeps, digest: Digest, options: { signal: AbortSignal }): Promise<boolean> {
  for (const namespace of await deps.containerd.namespaces(options)) {
    if ((await deps.containerd.content(namespace, digest, options)) !== undefined) return true;
  }
  return false;
}
