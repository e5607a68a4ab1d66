/** Requests about seeding as typed values (`proto/shoal/seed/v1`): every field checked, every list bounded. Pure. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import { isDigest } from '../../core/oci/digest.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { parsePlatform } from '../../core/oci/platform.ts';
import { MAX_MANIFEST_BYTES } from '../../core/oci/manifest.ts';
import { isRepositoryName } from '../../core/oci/reference.ts';
import { BLOBS_MAX, IMAGES_MAX, PRESENCE_MAX, TARGETS_MAX } from '../seed/limits.ts';
import { PullToken } from '../seed/pull-token.ts';
import type { LeaseAsk, SeedImage, SeedLimits, SeedManifest, SeedRequest, SeedSelector } from '../seed/seed.ts';
import { countOf, listOf, objectOf, oneOf, textOf, timeOf, wrong } from './json-reader.ts';

/** 1,000 images with their manifests. */
export const SEED_BODY_BYTES_MAX = 8 * 1024 * 1024;
const PAIRS_MAX = 1_000_000;
const NAMES_MAX = 1_000;
const TOKEN_CHARS_MAX = 64 * 1024;
const HOLDER_CHARS_MAX = 200;
const SECOND_MS = 1_000;
const LIMITS = {
  parallelNodes: { min: 1, max: 10_000, fallback: 50 },
  parallelBlobs: { min: 1, max: 256, fallback: 4 },
  maxBytes: { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: undefined },
  deadline: { min: 1, max: 86_400, fallback: 3_600 },
  nodeDeadline: { min: 1, max: 86_400, fallback: undefined },
  silence: { min: 1, max: 600, fallback: 10 },
  presenceSilence: { min: 1, max: 60, fallback: 5 },
  leaseSeconds: { min: 5, max: 3_600, fallback: undefined },
} as const;

/** @throws CodedError INVALID_ARGUMENT naming the field */
export function readSeedRequest(body: unknown, nowMs: number): SeedRequest {
  const known = ['pin', 'images', 'targets', 'newcomers', 'level', 'limits'];
  const { pin, images, targets, newcomers, level, limits } = objectOf(body, '$', known);
  const request: SeedRequest = {
    pin: pinOf(pin, nowMs),
    level: level === undefined ? 'content' : oneOf(level, '$.level', ['content', 'image']),
    images: listOf(images, '$.images', IMAGES_MAX, imageOf),
    targets: [...new Set(listOf(targets, '$.targets', TARGETS_MAX, (one, path) => textOf(one, path)))],
    limits: limitsOf(limits),
    ...(newcomers !== undefined && { newcomers: selectorOf(newcomers) }),
  };
  const blobs = request.images.reduce((sum, image) => sum + image.manifests.length + image.blobs.length, 0);
  if (request.images.length === 0) throw wrong('$.images', 'a list of at least one');
  if (blobs > BLOBS_MAX) throw wrong('$.images', `${BLOBS_MAX} blobs or fewer in all`);
  if (request.images.length * request.targets.length > PAIRS_MAX) {
    throw wrong('$.targets', `so short that images times targets are ${PAIRS_MAX} or fewer`);
  }
  return request;
}

/** @throws CodedError INVALID_ARGUMENT */
export function readPresenceRequest(body: unknown) {
  const { digests, nodes, silence_seconds } = objectOf(body, '$', ['digests', 'nodes', 'silence_seconds']);
  return {
    digests: listOf(digests, '$.digests', PRESENCE_MAX, digestOf),
    silenceMs: countOf(silence_seconds, '$.silence_seconds', LIMITS.presenceSilence) * SECOND_MS,
    ...(nodes !== undefined && { nodes: listOf(nodes, '$.nodes', TARGETS_MAX, (one, path) => textOf(one, path)) }),
  };
}

/** @throws CodedError INVALID_ARGUMENT */
export function readLeaseRequest(body: unknown): LeaseAsk {
  const { name, holder, action, seconds } = objectOf(body, '$', ['name', 'holder', 'action', 'seconds']);
  const asked = oneOf(action, '$.action', ['acquire', 'renew', 'release']);
  const given = countOf(seconds, '$.seconds', LIMITS.leaseSeconds);
  if (given === undefined && asked !== 'release') throw wrong('$.seconds', 'there');
  return {
    name: nameOf(name, '$.name'),
    holder: textOf(holder, '$.holder', HOLDER_CHARS_MAX),
    action: asked,
    seconds: given ?? 0,
  };
}

function pinOf(value: unknown, nowMs: number): SeedRequest['pin'] {
  const { name, until } = objectOf(value, '$.pin', ['name', 'until']);
  const untilMs = timeOf(until, '$.pin.until');
  if (untilMs <= nowMs) throw wrong('$.pin.until', 'in the future');
  return { name: nameOf(name, '$.pin.name'), untilMs };
}

function nameOf(value: unknown, path: string): string {
  const name = textOf(value, path);
  if (/^[A-Za-z0-9._/:@-]{1,100}$/.test(name)) return name;
  throw wrong(path, '1 to 100 of "A-Z a-z 0-9 . _ / : @ -"');
}

function imageOf(value: unknown, path: string): SeedImage {
  const known = ['ref', 'digest', 'source', 'manifests', 'blobs', 'platforms', 'token'];
  const { ref, digest, source, manifests, blobs, platforms, token } = objectOf(value, path, known);
  const image: SeedImage = {
    ref: textOf(ref, `${path}.ref`),
    digest: digestOf(digest, `${path}.digest`),
    source: sourceOf(source, `${path}.source`),
    manifests: listOf(manifests, `${path}.manifests`, BLOBS_MAX, manifestOf),
    blobs: listOf(blobs, `${path}.blobs`, BLOBS_MAX, blobOf),
    ...(platforms !== undefined && { platforms: listOf(platforms, `${path}.platforms`, NAMES_MAX, platformOf) }),
    ...(token !== undefined && { token: tokenOf(token, `${path}.token`) }),
  };
  if (image.manifests.some((one) => one.digest === image.digest)) return image;
  throw wrong(`${path}.manifests`, "a list with the image's own digest in it");
}

function sourceOf(value: unknown, path: string): SeedImage['source'] {
  const { registry, repository } = objectOf(value, path, ['registry', 'repository']);
  const name = textOf(repository, `${path}.repository`);
  if (!isRepositoryName(name)) throw wrong(`${path}.repository`, 'the name of a repository');
  return { registry: textOf(registry, `${path}.registry`), repository: name };
}

const BLOB_FIELDS = ['digest', 'size', 'media_type'];

function blobOf(value: unknown, path: string): Descriptor {
  return descriptorOf(objectOf(value, path, BLOB_FIELDS), path, Number.MAX_SAFE_INTEGER);
}

function manifestOf(value: unknown, path: string): SeedManifest {
  const fields = objectOf(value, path, [...BLOB_FIELDS, 'data']);
  const descriptor = descriptorOf(fields, path, MAX_MANIFEST_BYTES);
  if (fields.data === undefined) return descriptor;
  const bytes = Buffer.from(textOf(fields.data, `${path}.data`, SEED_BODY_BYTES_MAX), 'base64');
  if (bytes.length !== descriptor.size) throw wrong(`${path}.data`, `base64 of ${descriptor.size} bytes`);
  return { ...descriptor, bytes };
}

function descriptorOf(fields: Readonly<Record<string, unknown>>, path: string, sizeMax: number): Descriptor {
  const size = countOf(fields.size, `${path}.size`, { min: 0, max: sizeMax, fallback: undefined });
  if (size === undefined) throw wrong(`${path}.size`, 'there');
  return {
    size,
    digest: digestOf(fields.digest, `${path}.digest`),
    mediaType: textOf(fields.media_type, `${path}.media_type`),
  };
}

function digestOf(value: unknown, path: string): Digest {
  if (typeof value === 'string' && isDigest(value)) return value;
  throw wrong(path, '"sha256:" and 64 lower-case hexadecimal digits');
}

function platformOf(value: unknown, path: string) {
  return parsePlatform(textOf(value, path));
}

function tokenOf(given: unknown, path: string): PullToken {
  const { value, expires_at } = objectOf(given, path, ['value', 'expires_at']);
  return new PullToken(textOf(value, `${path}.value`, TOKEN_CHARS_MAX), timeOf(expires_at, `${path}.expires_at`));
}

function selectorOf(value: unknown): SeedSelector {
  const { zones, platforms } = objectOf(value, '$.newcomers', ['zones', 'platforms']);
  // A zone may be "": that of nodes whose operator gave none.
  const zoneOf = (one: unknown, path: string) => (one === '' ? '' : textOf(one, path));
  return {
    ...(zones !== undefined && { zones: listOf(zones, '$.newcomers.zones', NAMES_MAX, zoneOf) }),
    ...(platforms !== undefined && {
      platforms: listOf(platforms, '$.newcomers.platforms', NAMES_MAX, platformOf),
    }),
  };
}

function limitsOf(value: unknown): SeedLimits {
  const known = [
    ...['parallel_nodes', 'parallel_blobs', 'max_bytes_per_node'],
    ...['deadline_seconds', 'node_deadline_seconds', 'silence_seconds'],
  ];
  const fields = objectOf(value ?? {}, '$.limits', known);
  const maxBytes = countOf(fields.max_bytes_per_node, '$.limits.max_bytes_per_node', LIMITS.maxBytes);
  const nodeSeconds = countOf(fields.node_deadline_seconds, '$.limits.node_deadline_seconds', LIMITS.nodeDeadline);
  return {
    parallelNodes: countOf(fields.parallel_nodes, '$.limits.parallel_nodes', LIMITS.parallelNodes),
    parallelBlobs: countOf(fields.parallel_blobs, '$.limits.parallel_blobs', LIMITS.parallelBlobs),
    deadlineMs: countOf(fields.deadline_seconds, '$.limits.deadline_seconds', LIMITS.deadline) * SECOND_MS,
    silenceMs: countOf(fields.silence_seconds, '$.limits.silence_seconds', LIMITS.silence) * SECOND_MS,
    ...(maxBytes !== undefined && { maxBytesPerNode: maxBytes }),
    ...(nodeSeconds !== undefined && { nodeDeadlineMs: nodeSeconds * SECOND_MS }),
  };
}
