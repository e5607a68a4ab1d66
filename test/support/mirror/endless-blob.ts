/** A registry with one blob of any size that exists nowhere: one piece of noise, said again and again. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../../core/oci/digest.ts';

const PIECE_BYTES = 1024 * 1024;

export interface EndlessBlob extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly url: string;
  readonly digest: Digest;
  /** Bytes of blob bodies that left it. */
  bytesSent(): number;
  /** What the blob has there. */
  bytesAt(start: number, end: number): Buffer;
}

/** @param sizeBytes a multiple of 1 MiB */
export async function startEndlessBlob(sizeBytes: number): Promise<EndlessBlob> {
  const piece = randomBytes(PIECE_BYTES);
  const hash = createHash('sha256');
  for (let at = 0; at < sizeBytes; at += PIECE_BYTES) hash.update(piece);
  const digest = `sha256:${hash.digest('hex')}` as Digest;
  let sent = 0;
  const server = createServer(async (request, response) => {
    const isBlob = (request.url ?? '').split('?', 1)[0]?.endsWith(`/blobs/${digest}`);
    if (!isBlob) return response.writeHead(404).end();
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from ?? 0);
    const end = to ? Math.min(sizeBytes, Number(to) + 1) : sizeBytes;
    response.writeHead(from === undefined ? 200 : 206, {
      'content-length': end - start,
      'docker-content-digest': digest,
      'content-range': `bytes ${start}-${end - 1}/${sizeBytes}`,
    });
    if (request.method === 'HEAD') return response.end();
    const body = Readable.from(pieces(piece, { start, end, onBytes: (bytes) => (sent += bytes) }));
    return pipeline(body, response).catch(() => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ host, url: `http://${host}`, digest },
    bytesSent: () => sent,
    bytesAt: (start, end) =>
      Buffer.from(Uint8Array.from({ length: end - start }, (_, at) => piece[(start + at) % PIECE_BYTES] ?? 0)),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function* pieces(
  piece: Buffer,
  { start, end, onBytes }: { start: number; end: number; onBytes: (bytes: number) => void },
): Generator<Buffer> {
  for (let at = start; at < end; ) {
    const from = at % PIECE_BYTES;
    const chunk = piece.subarray(from, Math.min(PIECE_BYTES, from + end - at));
    onBytes(chunk.length);
    yield chunk;
    at += chunk.length;
  }
}
