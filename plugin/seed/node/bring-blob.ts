/** One blob of an image brought to this disk: from the order itself, from members, or from its registry, with lent rights where there are some. */
import type { Descriptor } from '../../../core/oci/descriptor.ts';
import { digestOf } from '../../../core/oci/digest.ts';
import { unlessAborted } from '../../../core/runtime/unless-aborted.ts';
import { CodedError, isCode } from '../../../core/runtime/errors.ts';
import type { Flight } from '../../content/content.ts';
import { keepProven } from '../../content/keep-proven.ts';
import type { CallerCredential } from '../../content/origin.ts';
import type { PullToken } from '../pull-token.ts';
import type { Pin, SeedImage, SeedManifest } from '../seed.ts';
import type { NodeSeedingDeps } from './node-deps.ts';

/** What is lent counts for five minutes: lent again within, while the token itself is good. */
const LEND_EVERY_MS = 2 * 60_000;
/** When other nodes have told what they have by then, it comes from them. */
const LATER_MS = 3_500;
/** Tries to pin a blob that eviction took between its coming and its pin. */
const PIN_TRIES = 2;

export interface BlobToBring {
  readonly blob: Descriptor | SeedManifest;
  readonly image: SeedImage;
  readonly pin: Pin;
  /** Told of the download, to see how far it is. */
  onFlight(flight: Flight): void;
}

/** Whole, proven and pinned when it resolves. @throws what sources and the disk throw, the signal's reason */
export async function bringBlob(deps: NodeSeedingDeps, wanted: BlobToBring, signal: AbortSignal): Promise<void> {
  const { blob, image, pin } = wanted;
  deps.known.learnSource(blob.digest, image.source);
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    if (deps.store.stat(blob.digest) === undefined) await fetchBlob(deps, wanted, signal);
    checkSize(deps, blob);
    try {
      await deps.store.pin(pin.name, [blob.digest], pin.untilMs);
      return;
    } catch (error) {
      if (tries >= PIN_TRIES || !isCode(error, 'NOT_FOUND')) throw error;
    }
  }
}

function checkSize({ store }: NodeSeedingDeps, { digest, size }: Descriptor): void {
  const found = store.stat(digest);
  if (found === undefined || found.size === size) return;
  throw new CodedError('INVALID_ARGUMENT', `Blob "${digest}" has ${found.size} bytes, the seed says ${size}`);
}

function fetchBlob(deps: NodeSeedingDeps, wanted: BlobToBring, signal: AbortSignal): Promise<void> {
  const isManifest = wanted.image.manifests.some(({ digest }) => digest === wanted.blob.digest);
  return isManifest ? fetchManifest(deps, wanted, signal) : flyOrAsk(deps, wanted, signal);
}

/**
 * A node that may not read a source goes by what it remembers of that, and may look for other nodes before they have anything. So a
 * refusal is looked into: the registry is asked for the blob itself, and the flight tried once more, later when it says no.
 */
async function flyOrAsk(deps: NodeSeedingDeps, wanted: BlobToBring, signal: AbortSignal): Promise<void> {
  try {
    await fly(deps, wanted, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isCode(error, 'NOT_FOUND', 'UNAUTHENTICATED', 'PERMISSION_DENIED')) throw error;
    const refusal = await refusalOf(deps, wanted, signal);
    if (refusal !== undefined) await deps.clock.sleep(LATER_MS, { signal });
    await fly(deps, wanted, signal).catch((again: unknown) => {
      signal.throwIfAborted();
      throw refusal === undefined ? again : refusal.error;
    });
  }
}

/** What the registry says now, to the rights that are there; undefined when it has the blob for us. */
async function refusalOf(
  { origin, clock }: NodeSeedingDeps,
  { blob, image }: BlobToBring,
  signal: AbortSignal,
): Promise<{ readonly error: unknown } | undefined> {
  const as = credentialOf(image.token, clock.now());
  try {
    await origin.blobSize(image.source, blob.digest, { signal, ...(as && { as }) });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return { error };
  }
}

async function fetchManifest(deps: NodeSeedingDeps, { blob, image }: BlobToBring, signal: AbortSignal): Promise<void> {
  const given = 'bytes' in blob ? blob.bytes : undefined;
  const bytes = given ?? (await askForManifest(deps, { blob, image }, signal));
  if (digestOf(bytes) !== blob.digest) {
    throw new CodedError('DATA_LOSS', `Manifest "${blob.digest}" came with bytes of another digest`);
  }
  await keepProven(deps, { descriptor: { ...blob, size: bytes.length }, bytes }, { signal });
  deps.known.learnManifest(blob.digest, bytes);
}

export type ManifestAskers = Pick<NodeSeedingDeps, 'manifests' | 'clock'> & {
  readonly origin: Pick<NodeSeedingDeps['origin'], 'manifest'>;
};

/** From its registry, with lent rights where there are some, and with this node's own. @throws as Manifests */
export async function askForManifest(
  { manifests, origin, clock }: ManifestAskers,
  { blob, image }: { blob: Pick<Descriptor, 'digest'>; image: Pick<SeedImage, 'source' | 'token'> },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const as = credentialOf(image.token, clock.now());
  if (as !== undefined) {
    try {
      return (await origin.manifest(image.source, blob.digest, { signal, as })).bytes;
    } catch (error) {
      if (!isCode(error, 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND')) throw error;
    }
  }
  return (await manifests.manifest(image.source, blob.digest, { signal })).bytes;
}

async function fly(deps: NodeSeedingDeps, { blob, image, onFlight }: BlobToBring, signal: AbortSignal): Promise<void> {
  const { digest, size } = blob;
  const over = new AbortController();
  lend(deps, image, digest);
  void lendAgain(deps, image, digest, over.signal);
  const flight = deps.content.fetch({ digest, size, sources: [image.source] }, 'cache');
  onFlight(flight);
  try {
    await unlessAborted(flight.done, signal);
  } catch (error) {
    if (signal.aborted) deps.content.unwant(digest, 'cache');
    throw error;
  } finally {
    over.abort();
  }
}

function lend({ origin, clock }: NodeSeedingDeps, { source, token }: SeedImage, digest: Descriptor['digest']): void {
  const credential = credentialOf(token, clock.now());
  if (credential !== undefined) origin.lend(source, digest, credential);
}

/** Ends by the rejection of an aborted sleep. */
async function lendAgain(
  deps: NodeSeedingDeps,
  image: SeedImage,
  digest: Descriptor['digest'],
  over: AbortSignal,
): Promise<void> {
  while (image.token !== undefined && !over.aborted) {
    await deps.clock.sleep(LEND_EVERY_MS, { signal: over }).catch(() => undefined);
    if (!over.aborted) lend(deps, image, digest);
  }
}

function credentialOf(token: PullToken | undefined, nowMs: number): CallerCredential | undefined {
  if (token === undefined || token.expiresAtMs <= nowMs) return undefined;
  return { kind: 'bearer', token: token.reveal() };
}
