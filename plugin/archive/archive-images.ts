/** Which images an archive holds, by what it says of itself: an OCI layout's `index.json`, else docker's `manifest.json`. Pure but for what it is given. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../../core/oci/descriptor-json.ts';
import { parseManifest } from '../../core/oci/manifest.ts';
import { formatReference, parseReference } from '../../core/oci/reference.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { ArchiveFiles } from './archive-files.ts';

/** Images of one archive. */
const IMAGES_MAX = 10_000;

/** One image of `manifest.json` (moby image/tarexport). */
export interface DockerEntry {
  /** Path of its config. */
  readonly config: string;
  readonly names: readonly string[];
  /** Paths of its layers, the lowest first. */
  readonly layers: readonly string[];
}

export type ArchiveImages =
  | {
      readonly kind: 'oci';
      readonly images: readonly { readonly descriptor: Descriptor; readonly names: readonly string[] }[];
    }
  | { readonly kind: 'docker'; readonly images: readonly DockerEntry[] };

/** @throws CodedError INVALID_ARGUMENT when it is no archive of images, or says what cannot be */
export function imagesIn(files: ArchiveFiles): ArchiveImages {
  const index = files.textAt('index.json');
  const manifest = files.textAt('manifest.json');
  const docker = manifest === undefined ? [] : dockerEntries(manifest);
  if (index === undefined) {
    if (manifest !== undefined) return { kind: 'docker', images: docker };
    throw new CodedError(
      'INVALID_ARGUMENT',
      'Archive has neither "index.json" (an OCI layout) nor "manifest.json" (docker save)',
    );
  }
  const parsed = parseManifest(index);
  if (parsed.kind !== 'index') throw new CodedError('INVALID_ARGUMENT', '"index.json" is no index');
  if (parsed.manifests.length > IMAGES_MAX) throw tooMany(parsed.manifests.length);
  // Dockers of today write both files; names are sometimes in the second only.
  const [only] = parsed.manifests.length === 1 && docker.length === 1 ? docker : [];
  const images = parsed.manifests.map((descriptor) => {
    const names = namesOf(descriptor);
    return { descriptor, names: names.length === 0 && only !== undefined ? only.names : names };
  });
  return { kind: 'oci', images: merged(images) };
}

/** An index names an image once for each of its tags. */
function merged<T extends { descriptor: Descriptor; names: readonly string[] }>(images: readonly T[]): T[] {
  const groups = Map.groupBy(images, ({ descriptor }) => descriptor.digest);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ ...first, names: [...new Set(group.flatMap(({ names }) => names))] }];
  });
}

/** containerd's own annotation, else OCI's where it is a whole name: a tag alone names nothing. */
function namesOf({ annotations = {} }: Descriptor): string[] {
  const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'] ?? '';
  return /[/:]/.test(name) ? fullNames([name]) : [];
}

function dockerEntries(bytes: Buffer): DockerEntry[] {
  // An object around it makes the list readable by the reader of objects.
  const { list } = parseJsonObject(
    Buffer.concat([Buffer.from('{"list":'), bytes, Buffer.from('}')]),
    '"manifest.json"',
  );
  if (!Array.isArray(list)) throw new CodedError('INVALID_ARGUMENT', '"manifest.json" is no list');
  if (list.length > IMAGES_MAX) throw tooMany(list.length);
  return list.map((entry: unknown, at) => dockerEntry(entry, at));
}

function dockerEntry(entry: unknown, at: number): DockerEntry {
  const place = `"manifest.json": $[${at}]`;
  if (!isJsonObject(entry)) throw new CodedError('INVALID_ARGUMENT', `${place} is no object`);
  if (typeof entry.Config !== 'string') throw new CodedError('INVALID_ARGUMENT', `${place} has no text "Config"`);
  return {
    config: entry.Config,
    names: fullNames(texts(entry, 'RepoTags', place)),
    layers: texts(entry, 'Layers', place),
  };
}

/** Go writes an empty list as null. */
function texts(entry: JsonObject, key: string, place: string): string[] {
  const list = entry[key] ?? [];
  if (!Array.isArray(list) || !list.every((text) => typeof text === 'string')) {
    throw new CodedError('INVALID_ARGUMENT', `${place} has a "${key}" that is no list of texts`);
  }
  return list;
}

/** @throws CodedError INVALID_ARGUMENT for a name that is none */
function fullNames(names: readonly string[]): string[] {
  return names.map((name) => formatReference(parseReference(name)));
}

function tooMany(count: number): CodedError {
  return new CodedError('RESOURCE_EXHAUSTED', `Archive has ${count} images, ${IMAGES_MAX} at most`);
}
