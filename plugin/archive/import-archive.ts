/** An archive into the store, its images held by the cache, named, and known to the fleet. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { childrenOf, parseManifest } from '../../core/oci/manifest.ts';
import { isForeignLayer } from '../../core/oci/media-types.ts';
import { formatReference, parseReference, type Reference } from '../../core/oci/reference.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { keepProven, readKept } from '../content/keep-proven.ts';
import type { KnownBlobs } from '../content/known-blobs.ts';
import type { PinStore } from '../store/blob-store.ts';
import type { Import, ImportOptions, ImportStep } from './archive.ts';
import { ArchiveFiles, readFiles } from './archive-files.ts';
import { imagesIn } from './archive-images.ts';
import type { BlobWriterDeps } from './blob-writer.ts';
import { dockerManifest } from './docker-image.ts';

/** Indexes within indexes. */
const DEPTH_MAX = 4;
/** Missing blobs that a message names. */
const NAMED_MAX = 3;

export interface ImportDeps extends BlobWriterDeps {
  readonly store: BlobWriterDeps['store'] & PinStore;
  readonly known: Pick<KnownBlobs, 'learnManifest' | 'learnSource'>;
  /** An image is known by this name from now on, here and wherever it is told. */
  named(reference: Reference, descriptor: Descriptor): void;
  /** Resolves when the fleet has heard of what is new here: who reads the end may ask any node at once. */
  announced?(): Promise<void>;
}

export function createImport(deps: ImportDeps): Import {
  return (archive, options) => importArchive(deps, archive, options);
}

async function* importArchive(
  deps: ImportDeps,
  archive: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): AsyncGenerator<ImportStep, void> {
  const files = new ArchiveFiles();
  for await (const stored of readFiles(deps, archive, { files, signal: options.signal })) {
    const { digest, size, entry, isNew } = stored;
    yield { kind: 'blob', digest, size, entry, isNew };
  }
  const images = await heldImages(deps, files, options.signal);
  if (options.name !== undefined && images.length !== 1) {
    throw new CodedError(
      'INVALID_ARGUMENT',
      `Archive has ${images.length} images; a name can be given to a single one`,
    );
  }
  for (const image of images) yield await finish(deps, image, options);
  await deps.announced?.();
}

interface HeldImage {
  readonly descriptor: Descriptor;
  readonly names: readonly string[];
}

async function heldImages(deps: ImportDeps, files: ArchiveFiles, signal: AbortSignal): Promise<readonly HeldImage[]> {
  const found = imagesIn(files);
  if (found.kind === 'oci') return found.images;
  const made: HeldImage[] = [];
  for (const entry of found.images) {
    const manifest = dockerManifest(files, entry);
    await keepProven(deps, manifest, { signal });
    made.push({ descriptor: manifest.descriptor, names: entry.names });
  }
  return made;
}

async function finish(deps: ImportDeps, image: HeldImage, { name, pinUntilMs }: ImportOptions): Promise<ImportStep> {
  const { descriptor } = image;
  const names = name === undefined ? image.names : [formatReference(name)];
  const sizes = await wholeImage(deps, descriptor);
  const digests = [...sizes.keys()];
  if (pinUntilMs !== undefined)
    await deps.store.pin(`import-${descriptor.digest.slice('sha256:'.length)}`, digests, pinUntilMs);
  for (const reference of names.map(parseReference)) {
    deps.known.learnSource(descriptor.digest, { registry: reference.domain, repository: reference.path });
    deps.named(reference, descriptor);
  }
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return { kind: 'image', names, descriptor, blobs: sizes.size, bytes };
}

/** Every blob of an image with its size, learned on the way. Of an index, those manifests that are here; at least one. */
async function wholeImage(deps: ImportDeps, top: Descriptor): Promise<Map<Digest, number>> {
  const sizes = new Map<Digest, number>();
  const missing: Digest[] = [];
  const walk = async (descriptor: Descriptor, depth: number): Promise<boolean> => {
    if (depth > DEPTH_MAX)
      throw new CodedError('INVALID_ARGUMENT', `Image "${top.digest}" has indexes deeper than ${DEPTH_MAX}`);
    const bytes = await readKept(deps.store, descriptor.digest);
    if (bytes === undefined) return false;
    const manifest = parseManifest(bytes, descriptor.mediaType);
    sizes.set(descriptor.digest, bytes.length);
    deps.known.learnManifest(descriptor.digest, bytes);
    if (manifest.kind === 'index') {
      let whole = 0;
      for (const child of manifest.manifests) if (await walk(child, depth + 1)) whole += 1;
      return whole > 0 || manifest.manifests.length === 0;
    }
    for (const child of childrenOf(manifest).filter(({ mediaType }) => !isForeignLayer(mediaType))) {
      const stat = deps.store.stat(child.digest);
      if (stat === undefined) missing.push(child.digest);
      else sizes.set(child.digest, stat.size);
    }
    return true;
  };
  const isHere = await walk(top, 0);
  if (isHere && missing.length === 0) return sizes;
  const lacking = missing.length === 0 ? [top.digest] : missing;
  const more = lacking.length > NAMED_MAX ? ` and ${lacking.length - NAMED_MAX} more` : '';
  throw new CodedError(
    'DATA_LOSS',
    `Image "${top.digest}" is not whole: the archive lacks ${lacking.slice(0, NAMED_MAX).join(', ')}${more}`,
  );
}
