/**
 * Learning from manifests that pass: what they name, where that can be had, and asking the sources ahead of time. Done
 * before containerd asks `Info` about the layers, because that answer has to come from memory.
 */
import type { Descriptor } from '../../../core/oci/descriptor.ts';
import type { Digest } from '../../../core/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../../core/oci/manifest.ts';
import type { Source } from '../../../core/oci/source.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import { Semaphore } from '../../../core/runtime/semaphore.ts';
import type { Containerd } from '../../containerd/containerd.ts';
import type { ContentFetcher } from '../../content/content.ts';
import type { KnownBlobs } from '../../content/known-blobs.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import type { Background } from './background.ts';
import { BoundedMap } from '../../../core/runtime/bounded-map.ts';
import type { Crowd } from './crowd.ts';
import type { ClaimEvents } from './events.ts';
import type { ImageNames } from './image-names.ts';
import { Latch } from './latch.ts';
import { readManifestBytes } from './read-blob.ts';
import { lookUpSources } from './source-lookup.ts';
import { parseIngestRef } from './source-names.ts';
import { wantOf } from './want.ts';

/** Manifests read at once, and lookups at once; each lookup is one small call at a time. */
const READS_MAX = 8;
const LOOKUPS_MAX = 16;
/** Manifests waiting for either; one more is not learned, and its layers are not claimed. */
const WAITING_MAX = 1024;
/** A manifest read again within this teaches nothing new. */
const LEARN_AGAIN_MS = 60_000;
/** Digests that are remembered as learned. */
const LESSONS_MAX = 10_000;

export interface ManifestLearnerDeps {
  store: Pick<BlobReader, 'stat' | 'open'>;
  known: KnownBlobs;
  content: Pick<ContentFetcher, 'prepare'>;
  crowd?: Crowd;
  containerd: Containerd;
  names: ImageNames;
  clock: Clock;
  background: Background;
  events: ClaimEvents;
}

/** One lesson under way: `read` when the children are known, `looked` when their source is, or is not to be found. */
interface Lesson {
  stage: 'reading' | 'looking' | 'looked';
  children: ReadonlySet<Digest>;
  readonly read: Latch;
  readonly looked: Latch;
}

export class ManifestLearner {
  readonly #deps: ManifestLearnerDeps;
  readonly #lessons = new Map<Digest, Lesson>();
  readonly #learnedAtMs = new BoundedMap<Digest, number>({ entriesMax: LESSONS_MAX });
  /** Manifests whose children are known. */
  readonly #manifests = new BoundedMap<Digest, true>({ entriesMax: LESSONS_MAX });
  readonly #reads = new Semaphore({ permits: READS_MAX, waitersMax: WAITING_MAX });
  readonly #lookups = new Semaphore({ permits: LOOKUPS_MAX, waitersMax: WAITING_MAX });

  constructor(deps: ManifestLearnerDeps) {
    this.#deps = deps;
  }

  /** Resolves when something that is being learned and may concern `digest` is known; undefined when nothing is. */
  pending(digest: Digest): Promise<void> | undefined {
    const waits: Promise<void>[] = [];
    for (const lesson of this.#lessons.values()) {
      if (lesson.stage === 'reading') waits.push(lesson.read.opened);
      if (lesson.stage === 'looking' && lesson.children.has(digest)) waits.push(lesson.looked.opened);
    }
    return waits.length === 0 ? undefined : Promise.race(waits);
  }

  /** A blob was committed by containerd under this ref. */
  committed(digest: Digest, ref: string): void {
    const { namespace, kind } = parseIngestRef(ref);
    if (kind !== 'layer' && kind !== 'config' && this.#mayBeManifest(digest)) this.#begin(digest, namespace);
  }

  /** A blob was read from its start: an image resolved again has its manifest read and not committed. */
  wasRead(digest: Digest): void {
    const role = this.#deps.known.get(digest)?.role;
    if (role === 'layer' || role === 'config') return;
    const learnedAtMs = this.#learnedAtMs.get(digest) ?? Number.NEGATIVE_INFINITY;
    if (this.#deps.clock.monotonicMs() - learnedAtMs < LEARN_AGAIN_MS) return;
    if (this.#mayBeManifest(digest)) this.#begin(digest, undefined);
  }

  /**
   * Takes in what lies on this disk already, without asking any source: `digest` and, below an index, its manifests.
   * Errors: those of reading.
   */
  async learnFromDisk(digest: Digest, sources: readonly Source[]): Promise<void> {
    for (const source of sources) this.#deps.known.learnSource(digest, source);
    if (!this.#mayBeManifest(digest)) return;
    for (const child of await this.#childrenOf(digest)) {
      const role = this.#deps.known.get(child.digest)?.role;
      if (role === 'manifest' && this.#mayBeManifest(child.digest)) await this.#childrenOf(child.digest);
    }
  }

  /** What the manifests that name `digest` name besides it, each perhaps more than once. */
  *siblings(digest: Digest): Iterable<Digest> {
    for (const manifest of this.#manifests.keys()) {
      const children = this.#deps.known.children(manifest) ?? [];
      if (!children.some((child) => child.digest === digest)) continue;
      for (const child of children) if (child.digest !== digest) yield child.digest;
    }
  }

  #mayBeManifest(digest: Digest): boolean {
    const blob = this.#deps.store.stat(digest);
    return blob !== undefined && blob.size <= MAX_MANIFEST_BYTES;
  }

  #begin(digest: Digest, namespace: string | undefined): void {
    if (this.#lessons.has(digest) || this.#lessons.size >= WAITING_MAX || this.#deps.background.hasEnded) return;
    const lesson = newLesson();
    this.#lessons.set(digest, lesson);
    this.#learnedAtMs.set(digest, this.#deps.clock.monotonicMs());
    this.#deps.background.spawn((signal) => this.#teach(lesson, { digest, namespace }, signal));
  }

  async #teach(
    lesson: Lesson,
    subject: { digest: Digest; namespace: string | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const children = await this.#reads.run(() => this.#childrenOf(subject.digest), { signal });
      lesson.children = new Set(children.map((child) => child.digest));
      lesson.stage = 'looking';
      lesson.read.open();
      if (children.length > 0) await this.#findSources(lesson, { ...subject, children }, signal);
    } catch (error) {
      if (!signal.aborted) this.#deps.events.notLearned(subject.digest, error);
    } finally {
      this.#lessons.delete(subject.digest);
      lesson.read.open();
      lesson.looked.open();
    }
  }

  /** From what is known when it was read before; its bytes cannot have changed. */
  async #childrenOf(digest: Digest): Promise<readonly Descriptor[]> {
    const children = this.#deps.known.children(digest);
    if (children !== undefined) return this.#remember(digest, children);
    const bytes = await readManifestBytes(this.#deps.store, digest);
    return this.#remember(digest, this.#deps.known.learnManifest(digest, bytes));
  }

  #remember(manifest: Digest, children: readonly Descriptor[]): readonly Descriptor[] {
    if (children.length > 0) this.#manifests.set(manifest, true);
    return children;
  }

  async #findSources(
    lesson: Lesson,
    subject: { digest: Digest; namespace: string | undefined; children: readonly Descriptor[] },
    signal: AbortSignal,
  ): Promise<void> {
    const { containerd, names, clock } = this.#deps;
    this.#prepare(subject.children);
    const labelled = await this.#lookups.run(() => lookUpSources({ containerd, clock }, subject, { signal }), {
      signal,
    });
    this.#learnSources(subject, [...labelled, ...namesFor(names, subject.digest, labelled)]);
    lesson.stage = 'looked';
    lesson.looked.open();
    if (!containerd.isReachable()) return;
    await names.refresh({ signal });
    this.#learnSources(subject, namesFor(names, subject.digest, labelled));
  }

  /** The last one learned is tried first, so names with their ports come last. */
  #learnSources(subject: { digest: Digest; children: readonly Descriptor[] }, sources: readonly Source[]): void {
    if (sources.length === 0) return;
    for (const source of sources) this.#deps.known.learnSource(subject.digest, source);
    this.#deps.events.sourceLearned(subject.digest, sources);
    this.#prepare(subject.children);
  }

  /** Asks about what is not here and could be claimed; nobody claims a manifest. */
  #prepare(children: readonly Descriptor[]): void {
    const { known, store, content, crowd } = this.#deps;
    const wants = children.flatMap(({ digest }) => {
      const blob = known.get(digest);
      const isWanted = (blob?.role === 'layer' || blob?.role === 'config') && store.stat(digest) === undefined;
      return blob !== undefined && isWanted ? [wantOf(known, digest, blob.size)] : [];
    });
    if (wants.length === 0) return;
    crowd?.gather(wants);
    content.prepare(wants);
  }
}

function newLesson(): Lesson {
  return { stage: 'reading', children: new Set(), read: new Latch(), looked: new Latch() };
}

function namesFor(names: ImageNames, digest: Digest, labelled: readonly Source[]): Source[] {
  return [...labelled.flatMap((source) => names.withPorts(source)), ...names.sourcesOf(digest)];
}
