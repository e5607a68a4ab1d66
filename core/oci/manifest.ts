/**
 * Manifests and indexes, read from bytes that anyone may have sent (OCI image-spec manifest.md, image-index.md; Docker
 * schema 2). Everything that is used later is checked here; what is not ours to judge is left alone.
 */
import { CodedError } from '../runtime/errors.ts';
import type { Descriptor, Platform } from './descriptor.ts';
import { type JsonObject, parseDescriptor, parseJsonObject, optionalString } from './descriptor-json.ts';
import { isIndex, isManifest, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';

/** The most bytes of a manifest that anyone reads: containerd's own bound (`MaxManifestSize`, sic). */
export const MAX_MANIFEST_BYTES = 4 * 1048 * 1048;

/** A list of manifests, one for each platform. */
export interface IndexManifest {
  kind: 'index';
  mediaType: string;
  manifests: readonly Descriptor[];
  artifactType?: string;
  subject?: Descriptor;
}

/** One image or artifact. */
export interface ImageManifest {
  kind: 'manifest';
  mediaType: string;
  config: Descriptor;
  layers: readonly Descriptor[];
  artifactType?: string;
  subject?: Descriptor;
}

export type Manifest = IndexManifest | ImageManifest;

/**
 * Reads a manifest or index. Its kind is what its own `mediaType` says, else `mediaType` (a Content-Type), else what it
 * looks like; one that contradicts itself is refused (CVE-2021-41190).
 * @throws CodedError INVALID_ARGUMENT with the JSON path of what is wrong
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): Manifest {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new CodedError('INVALID_ARGUMENT', `Manifest has ${bytes.length} bytes, ${MAX_MANIFEST_BYTES} at most`);
  }
  const json = parseJsonObject(bytes, 'Manifest');
  refuseSchema1(json, mediaType);
  const type = typeOf(json, mediaType);
  const rest = { ...optionalString(json, 'artifactType', '$'), ...subjectOf(json) };
  if (isIndex(type)) return { kind: 'index', mediaType: type, manifests: descriptors(json, 'manifests'), ...rest };
  const config = parseDescriptor(json.config, '$.config');
  return { kind: 'manifest', mediaType: type, config, layers: descriptors(json, 'layers'), ...rest };
}

/** What a manifest points to and needs: an index's manifests; an image's config, then its layers. Never the subject. */
export function childrenOf(manifest: Manifest): Descriptor[] {
  return manifest.kind === 'index' ? [...manifest.manifests] : [manifest.config, ...manifest.layers];
}

/** True for BuildKit's attestations: entries of an index that no platform runs (docs.docker.com, attestation storage). */
export function isAttestation(descriptor: Descriptor): boolean {
  return (
    descriptor.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest' ||
    descriptor.mediaType.startsWith('application/vnd.in-toto')
  );
}

/**
 * The platform that an image config states (OCI image-spec config.md), for manifests that an index lists without one.
 * @throws CodedError INVALID_ARGUMENT when it is not a JSON object, or these fields are not texts
 */
export function parseConfigPlatform(bytes: Uint8Array): Platform {
  const json = parseJsonObject(bytes, 'Image config');
  const { os = '' } = optionalString(json, 'os', '$');
  const { architecture = '' } = optionalString(json, 'architecture', '$');
  return { os, architecture, ...optionalString(json, 'variant', '$') };
}

function refuseSchema1(json: JsonObject, mediaType: string | undefined): void {
  const named = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;
  const isNamed = [json.mediaType, mediaType].some((type) => typeof type === 'string' && named.test(type));
  if (!isNamed && json.fsLayers === undefined && json.schemaVersion !== 1) return;
  throw new CodedError('INVALID_ARGUMENT', 'Manifest is a Docker schema 1 manifest, which is not supported');
}

function typeOf(json: JsonObject, contentType: string | undefined): string {
  const { mediaType: own } = optionalString(json, 'mediaType', '$');
  const looksLikeIndex = json.manifests !== undefined;
  const looksLikeManifest = json.config !== undefined || json.layers !== undefined;
  const given = contentType?.split(';')[0]?.trim() ?? '';
  const type = own || (isKnown(given) ? given : looksLikeIndex ? OCI_INDEX : OCI_MANIFEST);
  if (!isKnown(type)) throw invalid(`$.mediaType is "${type.slice(0, 100)}", neither a manifest's nor an index's`);
  if (isIndex(type) && looksLikeManifest) throw invalid(`is an index by "${type}" but has $.config or $.layers`);
  if (isManifest(type) && looksLikeIndex) throw invalid(`is an image manifest by "${type}" but has $.manifests`);
  return type;
}

function isKnown(mediaType: string): boolean {
  return isIndex(mediaType) || isManifest(mediaType);
}

/** Go writes an empty list as null. */
function descriptors(json: JsonObject, key: string): Descriptor[] {
  const list = json[key] ?? [];
  if (!Array.isArray(list)) throw invalid(`$.${key} is not a list`);
  return list.map((entry: unknown, at) => parseDescriptor(entry, `$.${key}[${at}]`));
}

function subjectOf(json: JsonObject): { subject?: Descriptor } {
  return json.subject === undefined || json.subject === null
    ? {}
    : { subject: parseDescriptor(json.subject, '$.subject') };
}

function invalid(what: string): CodedError {
  return new CodedError('INVALID_ARGUMENT', `Manifest ${what}`);
}
