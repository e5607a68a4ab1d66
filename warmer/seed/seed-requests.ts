/** A task as requests to a node: one for each platform, within the bounds of `seed-request.ts`. Pure. */
import type { Platform } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { formatPlatform } from '../../core/oci/platform.ts';
import type { PullToken } from '../../core/registry/registry-client.ts';
import type { SeedImage, SeedLevel, SeedLimits, SeedRequest } from '../../proto/shoal/seed/v1/seed-request.ts';
import type { ResolvedImage } from '../images/images.ts';
import type { PlanNode } from '../plan/plan-input.ts';
import type { SeedPin } from './pin.ts';
import { portionFor } from './portions.ts';

/** Of one request; the wire takes more of each. */
const IMAGES_MAX = 500;
const BLOBS_MAX = 10_000;
const MANIFEST_BYTES_MAX = 3 * 1024 * 1024;

export interface RequestSettings {
  readonly pin: SeedPin;
  readonly level: SeedLevel;
  readonly limits: SeedLimits;
  /** Nodes at once over all requests of the task. */
  readonly nodesAtOnce: number;
  /** Members of these nodes' platforms that come later get it too. */
  readonly takesNewcomers: boolean;
  manifestBytes(digest: Digest): Buffer | undefined;
  tokenFor(image: ResolvedImage): PullToken | undefined;
}

/** Requests of one platform follow each other; those of different platforms run beside each other. */
export function seedRequests(
  images: readonly ResolvedImage[],
  nodes: readonly PlanNode[],
  settings: RequestSettings,
): SeedRequest[][] {
  const platforms = Map.groupBy(nodes, ({ platform }) => formatPlatform(platform));
  return [...platforms.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const share = Math.max(1, Math.floor((settings.nodesAtOnce * members.length) / nodes.length));
    const seeds = images.flatMap((image) => seedImage(image, first.platform, settings) ?? []);
    const { pin, level, limits, takesNewcomers } = settings;
    const { os, architecture } = first.platform;
    const common = {
      pin,
      level,
      targets: members.map(({ name }) => name),
      limits: { ...limits, parallel_nodes: share },
      ...(takesNewcomers && { newcomers: { platforms: [`${os}/${architecture}`] } }),
    };
    return [chunked(seeds).map((chunk) => ({ ...common, images: chunk }))];
  });
}

function seedImage(image: ResolvedImage, platform: Platform, settings: RequestSettings): SeedImage | undefined {
  const portion = portionFor(image, platform);
  if (portion === undefined) return undefined;
  const token = settings.tokenFor(image);
  const { registry, repository } = image.source;
  return {
    ref: image.reference,
    digest: image.digest,
    source: { registry, repository },
    manifests: portion.manifests.map(({ digest, size, mediaType }) => {
      const bytes = settings.manifestBytes(digest);
      return { digest, size, media_type: mediaType, ...(bytes !== undefined && { data: bytes.toString('base64') }) };
    }),
    blobs: portion.blobs.map(({ digest, size, mediaType }) => ({ digest, size, media_type: mediaType })),
    ...(token !== undefined && {
      token: { value: token.token, expires_at: new Date(token.expiresAtMs).toISOString() },
    }),
  };
}

function chunked(images: readonly SeedImage[]): SeedImage[][] {
  const chunks: SeedImage[][] = [];
  let [chunk, blobs, bytes]: [SeedImage[], number, number] = [[], 0, 0];
  for (const image of images) {
    const [ownBlobs, ownBytes] = [image.blobs.length + image.manifests.length, manifestBytes(image)];
    const isFull = chunk.length >= IMAGES_MAX || blobs + ownBlobs > BLOBS_MAX || bytes + ownBytes > MANIFEST_BYTES_MAX;
    if (chunk.length > 0 && isFull) {
      chunks.push(chunk);
      [chunk, blobs, bytes] = [[], 0, 0];
    }
    chunk.push(image);
    blobs += ownBlobs;
    bytes += ownBytes;
  }
  return chunk.length === 0 ? chunks : [...chunks, chunk];
}

function manifestBytes({ manifests }: SeedImage): number {
  return manifests.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
}
