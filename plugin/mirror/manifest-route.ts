/**
 * Manifests by tag and digest (distribution-spec, "Pulling manifests"). A tag is what its registry says now; what it said
 * last is served only while the registry cannot be asked, and with a warning.
 */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';
import { isCode } from '../../core/runtime/errors.ts';
import type { ProvenManifest } from '../content/manifests.ts';
import type { OriginCall } from '../content/origin.ts';
import { type Answering, safeMediaType, sendBytes, sendEmpty } from './answering.ts';
import type { CallerAccess } from './caller-access.ts';
import { answeredByCondition, contentHead } from './conditional.ts';
import { OTHERS_FETCH_MS, OTHERS_MS } from './limits.ts';
import type { MirrorDeps, TagName } from './mirror.ts';
import { fromOrigin } from './spec-errors.ts';

/** RFC 7234, section 5.5.1. */
const STALE = { warning: '110 shoal "Response is Stale"' } as const;

export interface ManifestTarget {
  readonly source: Source;
  readonly reference: { readonly tag: string } | { readonly digest: Digest };
}

export interface ManifestRouteDeps extends Pick<MirrorDeps, 'content' | 'manifests' | 'known' | 'origin' | 'tags'> {
  readonly access: CallerAccess;
}

export class ManifestRoute {
  /** Whether the last known digest of a tag may be served at all. */
  servesStaleTags = false;
  readonly #deps: ManifestRouteDeps;

  constructor(deps: ManifestRouteDeps) {
    this.#deps = deps;
  }

  /** @throws CodedError what the registry throws */
  async answer(to: Answering, { source, reference }: ManifestTarget): Promise<void> {
    if ('tag' in reference) return this.#byTag(to, source, reference.tag);
    await this.#byDigest(to, source, reference.digest);
  }

  async #byTag(to: Answering, source: Source, tag: string): Promise<void> {
    const name = { ...source, tag };
    let descriptor: Descriptor;
    try {
      descriptor = await this.#resolve(to, source, tag);
    } catch (error) {
      return this.#stale(to, { source, name }, error);
    }
    this.#deps.tags.remember(name, descriptor);
    if (answeredByCondition(to, descriptor.digest)) return;
    if (to.isHead) return sendHead(to, descriptor);
    sendManifest(to, await this.#bring(to, source, descriptor));
  }

  /** The registry's own answer; it is the caller's right as well. */
  async #resolve(to: Answering, source: Source, reference: string): Promise<Descriptor> {
    const { access, origin } = this.#deps;
    const { as } = to;
    try {
      const descriptor = await origin.resolve(source, reference, callOf(to));
      if (as !== undefined) access.granted({ source, credential: as, digest: descriptor.digest });
      return descriptor;
    } catch (error) {
      if (as !== undefined) access.refused({ source, credential: as }, error);
      throw fromOrigin(error);
    }
  }

  /** @throws `error`, why the registry could not be asked, unless what it said last is known, here, and the caller's to have */
  async #stale(to: Answering, { source, name }: { source: Source; name: TagName }, error: unknown): Promise<void> {
    const { tags, access } = this.#deps;
    if (!this.servesStaleTags || !isCode(error, 'UNAVAILABLE')) throw error;
    const last = (await tags.last(name))?.descriptor;
    if (last === undefined) throw error;
    const isAllowed = to.as === undefined || access.isGranted({ source, credential: to.as, digest: last.digest });
    if (!isAllowed) throw error;
    const found = (await this.#here(last, source)) ?? (await this.#fromOthers(to, source, last));
    if (found === undefined) throw error;
    to.events.staleTag(name, error);
    if (answeredByCondition(to, last.digest, STALE)) return;
    sendManifest(to, found, STALE);
  }

  async #byDigest(to: Answering, source: Source, digest: Digest): Promise<void> {
    const { as } = to;
    if (as !== undefined) {
      const ask = () => this.#deps.origin.resolve(source, digest, callOf(to)).catch(asOrigin);
      await this.#deps.access.check({ source, credential: as, digest }, ask);
    }
    const kept = await this.#deps.manifests.read(digest, source);
    if (kept === undefined && to.isHead) {
      const descriptor = await this.#deps.origin.resolve(source, digest, callOf(to)).catch(asOrigin);
      if (!answeredByCondition(to, digest)) sendHead(to, descriptor);
      return;
    }
    const found = kept ?? (await this.#fetch(to, source, { digest, size: this.#deps.known.get(digest)?.size }));
    if (!answeredByCondition(to, digest)) sendManifest(to, found);
  }

  async #bring(to: Answering, source: Source, descriptor: Descriptor): Promise<ProvenManifest> {
    return (await this.#here(descriptor, source)) ?? (await this.#fetch(to, source, descriptor));
  }

  /** As the registry or an earlier answer calls it, when it is here. */
  async #here(descriptor: Descriptor, source: Source): Promise<ProvenManifest | undefined> {
    const found = await this.#deps.manifests.read(descriptor.digest, source);
    return found && { ...found, descriptor: { ...found.descriptor, mediaType: descriptor.mediaType } };
  }

  async #fetch(
    to: Answering,
    source: Source,
    wanted: { digest: Digest; size: number | undefined },
  ): Promise<ProvenManifest> {
    const { origin, manifests } = this.#deps;
    const { digest, size } = wanted;
    const fromOthers = size === undefined ? undefined : await this.#fromOthers(to, source, { digest, size });
    if (fromOthers !== undefined) return fromOthers;
    const found = await origin.manifest(source, digest, callOf(to)).catch(asOrigin);
    await manifests.keep(found, source, { signal: to.signal }).catch((error: unknown) => {
      to.signal.throwIfAborted();
      // A full disk is no reason to keep it from whoever asks.
      to.events.notKept(digest, error);
    });
    return found;
  }

  /** What somebody else than the registry has spares it a request that it counts. Undefined when nobody has it soon. */
  async #fromOthers(
    { signal }: Answering,
    source: Source,
    { digest, size }: { digest: Digest; size: number },
  ): Promise<ProvenManifest | undefined> {
    const { content, manifests } = this.#deps;
    const want = { digest, size, sources: [] };
    content.prepare([want]);
    const soon = AbortSignal.any([signal, AbortSignal.timeout(OTHERS_MS)]);
    await content.settled(want, { signal: soon }).catch(() => undefined);
    if (content.route(want) !== 'yes') return undefined;
    try {
      await content.fetch(want, 'cache', { giveUpMs: OTHERS_FETCH_MS }).done;
      return await manifests.read(digest, source);
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }
}

function callOf({ signal, as }: Answering): OriginCall {
  return { signal, ...(as && { as }) };
}

function asOrigin(error: unknown): never {
  throw fromOrigin(error);
}

function sendHead(to: Answering, { digest, mediaType, size }: Descriptor): void {
  sendEmpty(to, 200, { ...contentHead(digest), 'content-type': safeMediaType(mediaType), 'content-length': size });
}

function sendManifest(to: Answering, { descriptor, bytes }: ProvenManifest, head = {}): void {
  const { digest, mediaType } = descriptor;
  sendBytes(to, 200, {
    head: { ...contentHead(digest), 'content-type': safeMediaType(mediaType), ...head },
    body: bytes,
  });
}
