/**
 * A registry that serves images from memory (OCI distribution-spec, "Pull"): manifests by tag and digest, blobs whole
 * and by range, GET and HEAD. No authentication, no writing. What it answers is a pure function of what it was asked.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Digest, digestOf, isDigest } from '../../core/oci/digest.ts';
import { isRepositoryName, isTag } from '../../core/oci/reference.ts';

/** Everything of an image, or of several that share an index. */
export interface ServableImage {
  /** What tags point to; one of `manifests`. */
  digest: Digest;
  manifests: ReadonlyMap<Digest, { mediaType: string; bytes: Buffer }>;
  blobs: ReadonlyMap<Digest, Buffer>;
}

export interface ImageRequest {
  method: string;
  /** The path alone, without a query. */
  path: string;
  range?: string | undefined;
}

/** An answer; `content-length` is that of a GET, also when `body` is empty because it was a HEAD. */
export interface ImageAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

interface ServedRepository {
  tags: Map<string, Digest>;
  manifests: Map<Digest, { mediaType: string; bytes: Buffer }>;
  blobs: Map<Digest, Buffer>;
}

const EMPTY = Buffer.alloc(0);

export class ImageServer {
  readonly #repositories = new Map<string, ServedRepository>();

  /** Serves an image under a repository and its tags; tags that exist move. */
  put(repository: string, image: ServableImage, tags: readonly string[]): void {
    if (!isRepositoryName(repository)) throw new TypeError(`Repository "${repository}" is not a name`);
    const served = this.#repositories.get(repository) ?? { tags: new Map(), manifests: new Map(), blobs: new Map() };
    for (const [digest, manifest] of image.manifests) served.manifests.set(digest, manifest);
    for (const [digest, blob] of image.blobs) served.blobs.set(digest, blob);
    for (const tag of tags) served.tags.set(tag, image.digest);
    this.#repositories.set(repository, served);
  }

  /** A `node:http` request listener. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const answer = this.answer({ method: request.method ?? 'GET', path, range: request.headers.range });
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }

  answer(request: ImageRequest): ImageAnswer {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return problem(405, 'UNSUPPORTED', 'only pulling is served');
    const answer = this.#answerGet(request);
    return request.method === 'HEAD' ? { ...answer, body: EMPTY } : answer;
  }

  #answerGet(request: ImageRequest): ImageAnswer {
    if (/^\/v2\/?$/.test(request.path)) return json(200, {});
    const [, name = '', kind = '', reference = ''] =
      /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(request.path) ?? [];
    const repository = this.#repositories.get(name);
    if (repository === undefined) return problem(404, 'NAME_UNKNOWN', `repository "${name}" is not here`);
    if (kind === 'tags') return json(200, { name, tags: [...repository.tags.keys()] });
    return kind === 'blobs' ? blobAnswer(repository, reference, request.range) : manifestAnswer(repository, reference);
  }
}

function manifestAnswer(repository: ServedRepository, reference: string): ImageAnswer {
  const digest = isDigest(reference) ? reference : isTag(reference) ? repository.tags.get(reference) : undefined;
  const manifest = digest === undefined ? undefined : repository.manifests.get(digest);
  if (digest === undefined || manifest === undefined) {
    return problem(404, 'MANIFEST_UNKNOWN', `manifest "${reference}" is not here`);
  }
  return bytesAnswer(manifest.bytes, { 'content-type': manifest.mediaType, 'docker-content-digest': digest });
}

function blobAnswer(repository: ServedRepository, reference: string, range: string | undefined): ImageAnswer {
  const blob = isDigest(reference) ? repository.blobs.get(reference) : undefined;
  if (blob === undefined) return problem(404, 'BLOB_UNKNOWN', `blob "${reference}" is not here`);
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': reference,
    'accept-ranges': 'bytes',
  };
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined) return bytesAnswer(blob, headers);
  const start = Number(first);
  const end = last === '' || last === undefined ? blob.length : Math.min(blob.length, Number(last) + 1);
  if (start >= blob.length || end <= start) {
    return { status: 416, headers: { 'content-range': `bytes */${blob.length}`, 'content-length': '0' }, body: EMPTY };
  }
  const part = bytesAnswer(blob.subarray(start, end), headers);
  return {
    ...part,
    status: 206,
    headers: { ...part.headers, 'content-range': `bytes ${start}-${end - 1}/${blob.length}` },
  };
}

function bytesAnswer(bytes: Buffer, headers: Record<string, string>): ImageAnswer {
  return { status: 200, headers: { ...headers, 'content-length': `${bytes.length}` }, body: bytes };
}

/** An error as registries write it (OCI distribution-spec, "Error Codes"). */
function problem(status: number, code: string, message: string): ImageAnswer {
  return json(status, { errors: [{ code, message }] });
}

function json(status: number, value: unknown): ImageAnswer {
  const body = Buffer.from(JSON.stringify(value));
  const headers = { 'content-type': 'application/json', 'content-length': `${body.length}` };
  return { status, headers, body };
}

/** A manifest and its digest, ready for `ServableImage.manifests`. */
export function storedManifest(
  mediaType: string,
  value: unknown,
): { digest: Digest; stored: { mediaType: string; bytes: Buffer } } {
  const bytes = Buffer.from(JSON.stringify(value));
  return { digest: digestOf(bytes), stored: { mediaType, bytes } };
}
