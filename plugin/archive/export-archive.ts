/**
 * An image as a tar archive: an OCI layout with docker's `manifest.json` beside it, so that `docker load`, `ctr image import`, `podman load`
 * and `skopeo copy oci-archive:` (or `docker-archive:`) all take it.
 */
import { type TarFile, writeTar } from './tar-writer.ts';
import type { Descriptor, Platform } from '../../core/oci/descriptor.ts';
import { hexOf } from '../../core/oci/digest.ts';
import { parseManifest, type ImageManifest } from '../../core/oci/manifest.ts';
import { isForeignLayer, OCI_INDEX } from '../../core/oci/media-types.ts';
import { parsePlatform } from '../../core/oci/platform.ts';
import { formatReference, type Reference } from '../../core/oci/reference.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { ContentReader } from '../content/content.ts';
import { type ImagePullDeps, pullImage } from '../content/image-pull.ts';
import { readKept } from '../content/keep-proven.ts';
import type { Export, ExportRequest } from './archive.ts';

export interface ExportDeps extends ImagePullDeps {
  readonly reader: ContentReader;
  /** This node's own. */
  readonly platform: Platform;
}

export function createExport(deps: ExportDeps): Export {
  return (request, options) => exportImage(deps, request, options);
}

async function* exportImage(
  deps: ExportDeps,
  request: ExportRequest,
  { signal }: { signal: AbortSignal },
): AsyncGenerator<Uint8Array, void> {
  const { reference } = request;
  const platform = request.platform === undefined ? deps.platform : parsePlatform(request.platform);
  const found = await bringWhole(deps, reference, { platform, signal });
  yield* writeTar(filesOf(deps, { ...found, reference }, signal));
}

interface WholeImage {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  readonly manifest: ImageManifest;
}

/** The last manifest that the pull tells is the platform's own. */
async function bringWhole(
  deps: ExportDeps,
  reference: Reference,
  options: { platform: Platform; signal: AbortSignal },
): Promise<WholeImage> {
  let last: WholeImage | undefined;
  for await (const { digest, mediaType, size, state } of pullImage(deps, reference, options)) {
    if (state !== 'done' || last !== undefined) continue;
    const bytes = await readKept(deps.store, digest);
    const manifest = bytes && parseManifest(bytes, mediaType);
    if (bytes !== undefined && manifest?.kind === 'manifest')
      last = { descriptor: { digest, mediaType: manifest.mediaType, size }, bytes, manifest };
  }
  if (last === undefined)
    throw new CodedError('NOT_FOUND', `Image "${formatReference(reference)}" has no manifest here`);
  return last;
}

async function* filesOf(
  deps: ExportDeps,
  image: WholeImage & { reference: Reference },
  signal: AbortSignal,
): AsyncGenerator<TarFile, void> {
  const { descriptor, bytes, manifest, reference } = image;
  const layers = manifest.layers.filter(({ mediaType }) => !isForeignLayer(mediaType));
  yield jsonFile('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield { name: pathOf(descriptor), size: bytes.length, content: [bytes] };
  const blobs = new Map([manifest.config, ...layers].map((blob) => [blob.digest, blob]));
  for (const blob of blobs.values()) {
    yield { name: pathOf(blob), size: blob.size, content: deps.reader.read(blob.digest, {}, { signal }) };
  }
  const tag = reference.digest === undefined ? (reference.tag ?? 'latest') : undefined;
  const annotations = {
    'io.containerd.image.name': formatReference(reference),
    ...(tag && { 'org.opencontainers.image.ref.name': tag }),
  };
  yield jsonFile('index.json', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...descriptor, annotations }] });
  const RepoTags = tag === undefined ? null : [formatReference(reference)];
  yield jsonFile('manifest.json', [{ Config: pathOf(manifest.config), RepoTags, Layers: layers.map(pathOf) }]);
}

function jsonFile(name: string, value: unknown): TarFile {
  const bytes = Buffer.from(JSON.stringify(value));
  return { name, size: bytes.length, content: [bytes] };
}

function pathOf({ digest }: Descriptor): string {
  return `blobs/sha256/${hexOf(digest)}`;
}
