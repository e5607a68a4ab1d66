/**
 * Pushing an image into a registry by the OCI distribution spec ("Pushing manifests", monolithic upload by POST then PUT):
 * bytes in, nothing else needed. For tests; blobs are held in memory.
 */
import { type Digest, digestOf } from '../../../core/oci/digest.ts';

export interface PushCredentials {
  username: string;
  password: string;
}

export interface PushTarget {
  /** `http://127.0.0.1:PORT` of the registry. */
  url: string;
  /** For example `library/hello`. */
  repository: string;
  credentials?: PushCredentials;
}

/** A manifest or an index, as exact bytes. */
export interface PushManifest {
  mediaType: string;
  bytes: Uint8Array;
}

export interface PushImage {
  /** Config and layers; each is uploaded unless the repository has it. */
  blobs: readonly Uint8Array[];
  /** In order: what an index lists comes before the index. The last one gets the tag. */
  manifests: readonly PushManifest[];
  tag: string;
}

/**
 * Uploads blobs, then manifests by digest, then the last manifest under the tag.
 * @returns the digest of the last manifest
 * @throws Error naming request and status when the registry refuses
 */
export async function pushImage(target: PushTarget, image: PushImage): Promise<Digest> {
  for (const blob of image.blobs) await pushBlob(target, blob);
  for (const manifest of image.manifests) await pushManifest(target, digestOf(manifest.bytes), manifest);
  const top = image.manifests.at(-1);
  if (top === undefined) throw new Error('Push of an image without a manifest');
  await pushManifest(target, image.tag, top);
  return digestOf(top.bytes);
}

/** Uploads one blob unless the repository has it. @returns its digest */
export async function pushBlob(target: PushTarget, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  const known = await send(target, 'HEAD', `/v2/${target.repository}/blobs/${digest}`, { accept: [200, 404] });
  if (known.status === 200) return digest;
  const opened = await send(target, 'POST', `/v2/${target.repository}/blobs/uploads/`, { accept: [202] });
  const location = new URL(opened.headers.get('location') ?? '', target.url);
  location.searchParams.set('digest', digest);
  await send(target, 'PUT', location.href, { accept: [201], body: bytes, mediaType: 'application/octet-stream' });
  return digest;
}

/** Puts one manifest under `reference`, a tag or its digest. */
export async function pushManifest(target: PushTarget, reference: string, manifest: PushManifest): Promise<void> {
  const path = `/v2/${target.repository}/manifests/${reference}`;
  await send(target, 'PUT', path, { accept: [201], body: manifest.bytes, mediaType: manifest.mediaType });
}

interface SendOptions {
  accept: readonly number[];
  body?: Uint8Array;
  mediaType?: string;
}

async function send(target: PushTarget, method: string, path: string, options: SendOptions): Promise<Response> {
  const headers = new Headers();
  if (options.mediaType !== undefined) headers.set('content-type', options.mediaType);
  if (target.credentials) headers.set('authorization', basicAuthorization(target.credentials));
  const body = options.body && new Uint8Array(options.body);
  const response = await fetch(new URL(path, target.url), { method, headers, ...(body && { body }) });
  const text = await response.text();
  if (options.accept.includes(response.status)) return response;
  throw new Error(`${method} ${path} answered ${response.status}, wanted ${options.accept.join(' or ')}: ${text}`);
}

/** The value of a basic `Authorization` header (RFC 7617). */
export function basicAuthorization(credentials: PushCredentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}
