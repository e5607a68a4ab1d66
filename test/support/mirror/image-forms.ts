/** One runnable image in the forms that registries hold: Docker's types, zstd, attestations, an empty layer, a foreign one. */
import { gunzipSync, zstdCompressSync } from 'node:zlib';
import { type ServableImage, storedManifest } from '../../../cli/demo/image-server.ts';
import type { GeneratedImage, PlatformImage } from '../../../cli/demo/generated-image.ts';
import type { Descriptor } from '../../../core/oci/descriptor.ts';
import { type Digest, digestOf } from '../../../core/oci/digest.ts';
import type { PushImage } from '../docker-registry/push.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_CONFIG,
  OCI_EMPTY,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '../../../core/oci/media-types.ts';

type Manifests = Map<Digest, { mediaType: string; bytes: Buffer }>;

export const IN_TOTO = 'application/vnd.in-toto+json';
const FOREIGN_LAYER = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';

/** The same bytes under Docker's names: a manifest list, schema 2 manifests. */
export function dockerList(image: GeneratedImage): ServableImage {
  const manifests: Manifests = new Map();
  const entries = image.images.map(({ platform, config, layers }) => {
    const manifest = put(manifests, DOCKER_MANIFEST, {
      config: { ...config, mediaType: DOCKER_CONFIG },
      layers: layers.map((layer) => ({ ...layer, mediaType: DOCKER_LAYER_GZIP })),
    });
    return { ...manifest, platform };
  });
  const { digest } = put(manifests, DOCKER_MANIFEST_LIST, { manifests: entries });
  return { digest, manifests, blobs: image.blobs };
}

/** Its layers compressed by zstd; the config has the digests of what is inside, so it stays. */
export function zstdImage(image: GeneratedImage): ServableImage {
  const { config, layers } = first(image);
  const blobs = new Map([[config.digest, blobOf(image, config)]]);
  const compressed = layers.map((layer) => {
    const bytes = zstdCompressSync(gunzipSync(blobOf(image, layer)));
    const descriptor = { mediaType: OCI_LAYER_ZSTD, digest: digestOf(bytes), size: bytes.length };
    blobs.set(descriptor.digest, bytes);
    return descriptor;
  });
  const manifests: Manifests = new Map();
  const { digest } = put(manifests, OCI_MANIFEST, { config, layers: compressed });
  return { digest, manifests, blobs };
}

/** With the provenance that BuildKit puts beside each platform's image (docs.docker.com, attestation storage). */
export function attestedImage(
  image: GeneratedImage,
): ServableImage & { attestation: Descriptor; statement: Descriptor } {
  const { platform, manifest } = first(image);
  const blobs = new Map(image.blobs);
  const add = (mediaType: string, value: unknown) => {
    const bytes = Buffer.from(JSON.stringify(value));
    blobs.set(digestOf(bytes), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const statement = add(IN_TOTO, { _type: 'https://in-toto.io/Statement/v0.1', subject: [], predicate: {} });
  const unknown = { os: 'unknown', architecture: 'unknown' };
  const config = add(OCI_CONFIG, { ...unknown, rootfs: { type: 'layers', diff_ids: [statement.digest] } });
  const manifests: Manifests = new Map(image.manifests);
  const attestation = put(manifests, OCI_MANIFEST, { config, layers: [statement] });
  const annotations = {
    'vnd.docker.reference.digest': manifest.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  const { digest } = put(manifests, OCI_INDEX, {
    manifests: [
      { ...manifest, platform },
      { ...attestation, platform: unknown, annotations },
    ],
  });
  return { digest, manifests, blobs, attestation, statement };
}

/** With one layer more, of no bytes at all: a tar that ends where it begins. */
export function emptyLayerImage(image: GeneratedImage): ServableImage {
  const { layers } = first(image);
  const bytes = Buffer.alloc(0);
  const empty = { mediaType: OCI_LAYER, digest: digestOf(bytes), size: 0 };
  const { manifests, blobs, digest } = withConfig(image, [...layers, empty], digestOf(bytes));
  blobs.set(empty.digest, bytes);
  return { digest, manifests, blobs };
}

/** Its last layer "foreign": at `url` alone, not in the registry. @returns the image, and what is to be had at the url */
export function foreignLayerImage(
  image: GeneratedImage,
  url: string,
): ServableImage & { foreign: { digest: Digest; bytes: Buffer } } {
  const { config, layers } = first(image);
  const last = layers.at(-1);
  if (last === undefined) throw new TypeError('Image has no layer');
  const bytes = blobOf(image, last);
  const manifests: Manifests = new Map();
  const { digest } = put(manifests, DOCKER_MANIFEST, {
    config: { ...config, mediaType: DOCKER_CONFIG },
    layers: layers.map((layer) =>
      layer === last ? { ...layer, mediaType: FOREIGN_LAYER, urls: [url] } : { ...layer, mediaType: DOCKER_LAYER_GZIP },
    ),
  });
  const blobs = new Map(image.blobs);
  blobs.delete(last.digest);
  return { digest, manifests, blobs, foreign: { digest: last.digest, bytes } };
}

/** An artifact about an image: one file, an empty config (OCI image-spec, "Guidelines for Artifact Usage"). */
export function artifactOf(
  image: GeneratedImage,
  artifactType: string,
  bytes: Buffer,
): ServableImage & { layer: Descriptor } {
  const config = { mediaType: OCI_EMPTY, digest: digestOf('{}'), size: 2 };
  const layer = { mediaType: artifactType, digest: digestOf(bytes), size: bytes.length };
  const manifests: Manifests = new Map();
  const content = { artifactType, config, layers: [layer], subject: image.target };
  const { digest } = put(manifests, OCI_MANIFEST, content);
  const blobs = new Map([
    [config.digest, Buffer.from('{}')],
    [layer.digest, bytes],
  ]);
  return { digest, manifests, blobs, layer };
}

/** What `pushImage` takes of a form, but its tag. */
export function pushableForm({ manifests, blobs }: ServableImage): Omit<PushImage, 'tag'> {
  return { blobs: [...blobs.values()], manifests: [...manifests.values()] };
}

function withConfig(image: GeneratedImage, layers: readonly Descriptor[], diffId: Digest) {
  const { config } = first(image);
  const parsed: unknown = JSON.parse(blobOf(image, config).toString());
  const { rootfs, history, ...rest } = parsed as {
    rootfs: { type: string; diff_ids: Digest[] };
    history: object[];
  };
  const changed = {
    ...rest,
    rootfs: { ...rootfs, diff_ids: [...rootfs.diff_ids, diffId] },
    history: [...history, { created_by: 'nothing' }],
  };
  const bytes = Buffer.from(JSON.stringify(changed));
  const blobs = new Map(image.blobs);
  blobs.set(digestOf(bytes), bytes);
  const manifests: Manifests = new Map();
  const descriptor = { mediaType: OCI_CONFIG, digest: digestOf(bytes), size: bytes.length };
  const { digest } = put(manifests, OCI_MANIFEST, { config: descriptor, layers });
  return { digest, manifests, blobs };
}

function put(manifests: Manifests, mediaType: string, content: object): Descriptor {
  const { digest, stored } = storedManifest(mediaType, { schemaVersion: 2, mediaType, ...content });
  manifests.set(digest, stored);
  return { mediaType, digest, size: stored.bytes.length };
}

function first(image: GeneratedImage): PlatformImage {
  const [found] = image.images;
  if (found === undefined) throw new TypeError('Image has no platform');
  return found;
}

function blobOf(image: GeneratedImage, { digest }: Descriptor): Buffer {
  const bytes = image.blobs.get(digest);
  if (bytes === undefined) throw new TypeError(`Blob "${digest}" is not in the image`);
  return bytes;
}
