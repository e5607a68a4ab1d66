/** An order as a message to a member, and read from one. Whoever reads trusts no field. */
import type { Descriptor } from '../../../core/oci/descriptor.ts';
import { parsePlatform, formatPlatform } from '../../../core/oci/platform.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import {
  bytesIn,
  digestBytes,
  digestIn,
  flagIn,
  messagesIn,
  numberIn,
  textIn,
  textsIn,
} from '../../providers/wire-fields.ts';
import { BLOBS_MAX, IMAGES_MAX } from '../limits.ts';
import { PullToken } from '../pull-token.ts';
import type { SeedImage, SeedManifest, SeedOrder } from '../seed.ts';

/** Names of platforms in one image; nobody runs more. */
const PLATFORMS_MAX = 64;
const TEXT_MAX = 1_024;
const PARALLEL_MAX = 256;
const DEADLINE_MS_MAX = 86_400_000;

/** `withTokens`: whether the connection may carry them. */
export function orderMessage(order: SeedOrder, { from, withTokens }: { from: string; withTokens: boolean }): object {
  return {
    from,
    id: order.id,
    pin: order.pin.name,
    pinUntilMs: order.pin.untilMs,
    unpack: order.level === 'image',
    images: order.images.map((image) => imageMessage(image, withTokens)),
    parallelBlobs: order.parallelBlobs,
    maxBytes: order.maxBytes ?? 0,
    deadlineMs: Math.round(order.deadlineMs),
  };
}

function imageMessage(image: SeedImage, withTokens: boolean): object {
  const { ref, digest, source, manifests, blobs, platforms = [], token } = image;
  return {
    ref,
    digest: digestBytes(digest),
    registry: source.registry,
    repository: source.repository,
    manifests: manifests.map((one) => ({ ...blobMessage(one), ...(one.bytes && { data: one.bytes }) })),
    blobs: blobs.map(blobMessage),
    platforms: platforms.map(formatPlatform),
    ...(withTokens && token && { token: token.reveal(), tokenExpiresAtMs: token.expiresAtMs }),
  };
}

function blobMessage({ digest, size, mediaType }: Descriptor): object {
  return { digest: digestBytes(digest), size, mediaType };
}

/** @throws CodedError INVALID_ARGUMENT for an order that cannot be carried out as it stands */
export function readOrder(message: object): SeedOrder {
  const images = messagesIn(message, 'images', IMAGES_MAX + 1).map(imageIn);
  const blobs = images.reduce((sum, { manifests, blobs }) => sum + manifests.length + blobs.length, 0);
  if (images.length > IMAGES_MAX || blobs > BLOBS_MAX) throw refused('it is too large');
  const id = textIn(message, 'id');
  const pin = { name: textIn(message, 'pin'), untilMs: numberIn(message, 'pinUntilMs') };
  if (id === '' || id.length > TEXT_MAX || pin.name === '') throw refused('it has no name');
  const maxBytes = numberIn(message, 'maxBytes');
  return {
    id,
    pin,
    images,
    level: flagIn(message, 'unpack') ? 'image' : 'content',
    parallelBlobs: within(numberIn(message, 'parallelBlobs'), PARALLEL_MAX),
    deadlineMs: within(numberIn(message, 'deadlineMs'), DEADLINE_MS_MAX),
    ...(maxBytes > 0 && { maxBytes }),
  };
}

function imageIn(message: object): SeedImage {
  const digest = digestIn(message, 'digest');
  const source = { registry: textIn(message, 'registry'), repository: textIn(message, 'repository') };
  if (digest === undefined) throw refused('an image has no digest');
  const platforms = textsIn(message, 'platforms', PLATFORMS_MAX).map(parsePlatform);
  const token = textIn(message, 'token');
  return {
    ref: textIn(message, 'ref').slice(0, TEXT_MAX),
    digest,
    source,
    manifests: messagesIn(message, 'manifests', BLOBS_MAX).map(manifestIn),
    blobs: messagesIn(message, 'blobs', BLOBS_MAX).map(blobIn),
    ...(platforms.length > 0 && { platforms }),
    ...(token !== '' && { token: new PullToken(token, numberIn(message, 'tokenExpiresAtMs')) }),
  };
}

function manifestIn(message: object): SeedManifest {
  const bytes = bytesIn(message, 'data');
  return { ...blobIn(message), ...(bytes.length > 0 && { bytes }) };
}

function blobIn(message: object): Descriptor {
  const digest = digestIn(message, 'digest');
  if (digest === undefined) throw refused('a blob has no digest');
  return { digest, size: numberIn(message, 'size'), mediaType: textIn(message, 'mediaType').slice(0, TEXT_MAX) };
}

function within(value: number, max: number): number {
  return Math.min(Math.max(1, value), max);
}

function refused(why: string): CodedError {
  return new CodedError('INVALID_ARGUMENT', `Seed is refused: ${why}`);
}
