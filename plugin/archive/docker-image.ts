/** A manifest for an image of `docker save`, which has none: its layers lie there unpacked, and its config says what they must be. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import { isJsonObject, parseJsonObject } from '../../core/oci/descriptor-json.ts';
import { digestOf } from '../../core/oci/digest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '../../core/oci/media-types.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { DockerEntry } from './archive-images.ts';
import type { ArchiveBlob, ArchiveFiles } from './archive-files.ts';

export interface MadeManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/** @throws CodedError DATA_LOSS when a file of it is missing or another one than its config says; INVALID_ARGUMENT for a config that is none */
export function dockerManifest(files: ArchiveFiles, entry: DockerEntry): MadeManifest {
  const config = found(files, entry.config);
  const layers = entry.layers.map((path) => found(files, path));
  checkLayers(files, entry, layers);
  // zstd is no word of docker's own form.
  const isOci = layers.some(({ packing }) => packing === 'zstd');
  const mediaType = isOci ? OCI_MANIFEST : DOCKER_MANIFEST;
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: isOci ? OCI_CONFIG : DOCKER_CONFIG, size: config.size, digest: config.digest },
    layers: layers.map((layer) => ({ mediaType: layerType(layer, isOci), size: layer.size, digest: layer.digest })),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}

function layerType({ packing }: ArchiveBlob, isOci: boolean): string {
  if (packing === 'zstd') return OCI_LAYER_ZSTD;
  if (packing === 'gzip') return isOci ? OCI_LAYER_GZIP : DOCKER_LAYER_GZIP;
  return isOci ? OCI_LAYER : DOCKER_LAYER;
}

function found(files: ArchiveFiles, path: string): ArchiveBlob {
  const blob = files.blobAt(path);
  if (blob === undefined)
    throw new CodedError('DATA_LOSS', `Archive lacks "${path.slice(0, 200)}", which "manifest.json" names`);
  return blob;
}

/** The config names its layers by their unpacked digests; those that are packed are proven when they are unpacked. */
function checkLayers(
  files: ArchiveFiles,
  { config, layers: paths }: DockerEntry,
  layers: readonly ArchiveBlob[],
): void {
  const bytes = files.textAt(config);
  // Of a layout: a blob like any other, and the layers lie there by their digests.
  if (bytes === undefined) return;
  const json = parseJsonObject(bytes, `"${config}"`);
  const diffIds = isJsonObject(json.rootfs) ? json.rootfs.diff_ids : undefined;
  if (!Array.isArray(diffIds)) throw new CodedError('INVALID_ARGUMENT', `"${config}" has no list "rootfs.diff_ids"`);
  if (diffIds.length !== layers.length) {
    throw new CodedError(
      'DATA_LOSS',
      `"${config}" has ${diffIds.length} layers and "manifest.json" names ${layers.length}`,
    );
  }
  for (const [at, { digest, packing }] of layers.entries()) {
    if (packing === 'none' && digest !== diffIds[at]) {
      throw new CodedError(
        'DATA_LOSS',
        `"${paths[at]}" is "${digest}", and "${config}" says "${String(diffIds[at]).slice(0, 100)}"`,
      );
    }
  }
}
