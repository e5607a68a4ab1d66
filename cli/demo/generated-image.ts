/**
 * Images made up on the spot: real layers (tar, gzip) of bytes that do not compress, the same for the same seed, so
 * that sizes and digests can be counted on.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Descriptor, Platform } from '../../core/oci/descriptor.ts';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../core/oci/media-types.ts';
import { type ServableImage, storedManifest } from './image-server.ts';

export interface ImageFile {
  /** Below the root, without a leading slash; folders above it are made. */
  name: string;
  bytes: Buffer;
  mode?: number;
  /** Makes it a symbolic link to this; `bytes` is ignored. */
  linkTo?: string;
}

export interface GenerateOptions {
  /** Different seeds give different bytes. */
  seed?: string;
  layerCount?: number;
  /** Of one layer before compression, without its tar headers, bytes. */
  layerSizeBytes?: number;
  /** Put into the first layer. */
  files?: readonly ImageFile[];
  command?: readonly string[];
  /** One makes an image, more make an index. */
  platforms?: readonly Platform[];
}

/** An image, and what a test or the demo wants to know of it. */
export interface GeneratedImage extends ServableImage {
  /** What tags point to. */
  target: Descriptor;
  /** By platform, in the order asked for. */
  images: readonly PlatformImage[];
}

export interface PlatformImage {
  platform: Platform;
  manifest: Descriptor;
  config: Descriptor;
  layers: readonly Descriptor[];
}

interface Layer {
  descriptor: Descriptor;
  bytes: Buffer;
  /** The digest of the tar, before compression. */
  diffId: Digest;
}

const DEFAULTS = {
  seed: 'shoal',
  layerCount: 2,
  layerSizeBytes: 64 * 1024,
  files: [],
  command: ['/bin/sh'],
  platforms: [{ os: 'linux', architecture: 'amd64' }],
} satisfies Required<GenerateOptions>;

const compress = promisify(gzip);

/** Makes an image in memory: about `layerCount × layerSizeBytes` for each platform. */
export async function generateImage(options: GenerateOptions = {}): Promise<GeneratedImage> {
  const wanted = { ...DEFAULTS, ...options };
  const manifests = new Map<Digest, { mediaType: string; bytes: Buffer }>();
  const blobs = new Map<Digest, Buffer>();
  const images: PlatformImage[] = [];
  for (const platform of wanted.platforms) {
    const layers = await makeLayers(wanted, platform);
    const config = blobDescriptor(OCI_CONFIG, configOf(layers, platform, wanted.command), blobs);
    for (const layer of layers) blobs.set(layer.descriptor.digest, layer.bytes);
    const descriptors = layers.map((layer) => layer.descriptor);
    const made = storedManifest(OCI_MANIFEST, {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config,
      layers: descriptors,
    });
    manifests.set(made.digest, made.stored);
    const manifest = { mediaType: OCI_MANIFEST, digest: made.digest, size: made.stored.bytes.length };
    images.push({ platform, manifest, config, layers: descriptors });
  }
  const target = targetOf(images, manifests);
  return { digest: target.digest, target, images, manifests, blobs };
}

function targetOf(
  images: readonly PlatformImage[],
  manifests: Map<Digest, { mediaType: string; bytes: Buffer }>,
): Descriptor {
  const [first] = images;
  if (first === undefined) throw new TypeError('Image without a platform cannot be made');
  if (images.length === 1) return first.manifest;
  const index = storedManifest(OCI_INDEX, {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: images.map(({ manifest, platform }) => ({ ...manifest, platform })),
  });
  manifests.set(index.digest, index.stored);
  return { mediaType: OCI_INDEX, digest: index.digest, size: index.stored.bytes.length };
}

function configOf(layers: readonly Layer[], platform: Platform, command: readonly string[]): Buffer {
  return Buffer.from(
    JSON.stringify({
      created: '1970-01-01T00:00:00Z',
      os: platform.os,
      architecture: platform.architecture,
      ...(platform.variant === undefined ? {} : { variant: platform.variant }),
      config: { Env: ['PATH=/usr/local/bin:/usr/bin:/bin'], Cmd: command },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'shoal' })),
    }),
  );
}

function blobDescriptor(mediaType: string, bytes: Buffer, blobs: Map<Digest, Buffer>): Descriptor {
  const digest = digestOf(bytes);
  blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}

async function makeLayers(wanted: Required<GenerateOptions>, platform: Platform): Promise<Layer[]> {
  const layers: Layer[] = [];
  for (let at = 0; at < wanted.layerCount; at += 1) {
    const seed = `${wanted.seed} ${platform.os}/${platform.architecture}/${platform.variant ?? ''} ${at}`;
    const filler = { name: `data/layer-${at}.bin`, bytes: noise(seed, wanted.layerSizeBytes) };
    const tar = await tarOf(at === 0 ? [...wanted.files, filler] : [filler]);
    // The filler does not compress: the fastest level gives the same size as the best.
    const bytes = await compress(tar, { level: 1 });
    const descriptor = { mediaType: OCI_LAYER_GZIP, digest: digestOf(bytes), size: bytes.length };
    layers.push({ descriptor, bytes, diffId: digestOf(tar) });
  }
  return layers;
}

async function tarOf(files: readonly ImageFile[]): Promise<Buffer> {
  const tar = pack();
  const mtime = new Date(0);
  const folders = new Set(files.flatMap(({ name }) => foldersAbove(name)));
  for (const name of [...folders].sort()) tar.entry({ name: `${name}/`, type: 'directory', mode: 0o755, mtime });
  for (const { name, bytes, mode = 0o644, linkTo } of files) {
    if (linkTo === undefined) tar.entry({ name, mode, mtime }, bytes);
    else tar.entry({ name, mode: 0o777, type: 'symlink', linkname: linkTo, mtime });
  }
  tar.finalize();
  return buffer(tar);
}

function foldersAbove(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

/** Bytes that look random and depend on the seed alone: AES in counter mode over zeros. */
function noise(seed: string, sizeBytes: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}
