/** Manifests from a registry (OCI distribution-spec, "Pulling manifests"), proven by their digest. */
import type { Descriptor } from '../oci/descriptor.ts';
import { isJsonObject } from '../oci/descriptor-json.ts';
import { type Digest, digestOf, isDigest } from '../oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../oci/manifest.ts';
import { MANIFEST_ACCEPT } from '../oci/media-types.ts';
import { isRepositoryName, isTag } from '../oci/reference.ts';
import { CodedError } from '../runtime/errors.ts';
import type { HttpAnswer } from './http-transport.ts';
import { type CallOptions, RegistryError, type Repository } from './registry-client.ts';
import type { RegistryRequest, RegistryRequests } from './registry-requests.ts';

const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+';

/** See `RegistryClient.resolve`. */
export async function resolveManifest(
  requests: RegistryRequests,
  target: { repository: Repository; reference: string },
  options: CallOptions,
): Promise<Descriptor> {
  const request = manifestRequest('HEAD', target);
  const use = async (answer: HttpAnswer) => {
    await answer.discard();
    return describe(answer);
  };
  const found = await requests.perform(target.repository, request, { ...options, use }).catch(unlessMethodRefused);
  if (found === undefined) return (await fetchManifest(requests, target, options)).descriptor;
  if (isDigest(target.reference) && found.digest !== target.reference) throw contradiction(request, found.digest);
  return found;
}

/** See `RegistryClient.manifest`. */
export async function fetchManifest(
  requests: RegistryRequests,
  target: { repository: Repository; reference: string },
  options: CallOptions & { descriptor?: Descriptor },
): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
  const request = manifestRequest('GET', target);
  const bytesMax = Math.min(MAX_MANIFEST_BYTES, options.descriptor?.size ?? MAX_MANIFEST_BYTES);
  const use = async (answer: HttpAnswer) => {
    const mediaType = mediaTypeOf(answer);
    if (mediaType.startsWith(SCHEMA_1)) {
      answer.destroy();
      throw new CodedError(
        'INVALID_ARGUMENT',
        `${request.action} is a Docker schema 1 manifest, which is not supported`,
      );
    }
    const bytes = await readCapped(answer, bytesMax, request);
    requests.received(target.repository, 'manifest', bytes.length);
    const digest = digestOf(bytes);
    const wanted = [target.reference, options.descriptor?.digest ?? '', statedDigest(answer) ?? ''].filter(isDigest);
    if (wanted.some((other) => other !== digest)) throw contradiction(request, digest);
    return { bytes, descriptor: { mediaType: mediaTypeIn(bytes, mediaType), digest, size: bytes.length } };
  };
  return requests.perform(target.repository, request, { ...options, use });
}

/** @throws CodedError INVALID_ARGUMENT: names come from references and labels, and must not climb out of their path */
export function checkRepository({ registry, name }: Repository): void {
  if (isRepositoryName(name)) return;
  throw new CodedError('INVALID_ARGUMENT', `Repository "${name.slice(0, 100)}" of "${registry.host}" is not a name`);
}

function manifestRequest(
  method: 'GET' | 'HEAD',
  { repository, reference }: { repository: Repository; reference: string },
): RegistryRequest {
  checkRepository(repository);
  if (!isTag(reference) && !isDigest(reference)) {
    throw new CodedError(
      'INVALID_ARGUMENT',
      `Reference "${reference.slice(0, 100)}" is neither a tag nor a SHA-256 digest`,
    );
  }
  const image = `${repository.registry.host}/${repository.name}`;
  const action = isDigest(reference) ? `Manifest "${reference}" of "${image}"` : `Image "${image}:${reference}"`;
  return { kind: 'manifest', method, path: `manifests/${reference}`, headers: { accept: MANIFEST_ACCEPT }, action };
}

/** A descriptor from headers alone; undefined when they do not say enough. */
function describe(answer: HttpAnswer): Descriptor | undefined {
  const digest = statedDigest(answer);
  const mediaType = mediaTypeOf(answer);
  const size = Number(answer.headers['content-length'] ?? Number.NaN);
  if (digest === undefined || mediaType === '' || !Number.isSafeInteger(size) || size <= 0) return undefined;
  return { digest, mediaType, size };
}

function statedDigest(answer: HttpAnswer): Digest | undefined {
  const stated = answer.headers['docker-content-digest'];
  return typeof stated === 'string' && isDigest(stated) ? stated : undefined;
}

function mediaTypeOf(answer: HttpAnswer): string {
  return (answer.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
}

/** The manifest's own word goes before the header's: proxies rewrite headers. */
function mediaTypeIn(bytes: Buffer, contentType: string): string {
  try {
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    if (isJsonObject(json) && typeof json.mediaType === 'string' && json.mediaType !== '') return json.mediaType;
  } catch {
    // What is no JSON keeps the type that it was sent with; reading it is another's matter.
  }
  return contentType || 'application/octet-stream';
}

async function readCapped(answer: HttpAnswer, bytesMax: number, request: RegistryRequest): Promise<Buffer> {
  try {
    return await answer.read(bytesMax);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'RESOURCE_EXHAUSTED') throw error;
    throw new CodedError('DATA_LOSS', `${request.action} has more than ${bytesMax} bytes`, { cause: error });
  }
}

/** Registries that do not answer HEAD, or answer it with nothing useful, are asked by GET. */
function unlessMethodRefused(error: unknown): undefined {
  if (error instanceof RegistryError && (error.code === 'FAILED_PRECONDITION' || error.status === 400))
    return undefined;
  throw error;
}

function contradiction(request: RegistryRequest, digest: Digest): CodedError {
  return new CodedError(
    'DATA_LOSS',
    `${request.action} came with the digest "${digest}", which contradicts what was asked`,
  );
}
