/**
 * A way into a registry that is as slow as a line far away, and remembers what went through it: an HTTP proxy on a loopback
 * port of its own. Each node of a test can have one, so that their requests can be told apart.
 */
import { createServer, request as askOrigin, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Passed on in steps of this. */
const STEP_BYTES = 64 * 1024;
const MS = 1000;

export interface SlowDoor extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly url: string;
  /** `METHOD path` of every request so far, in the order in which they came. */
  readonly requests: readonly string[];
  /** Bytes of blobs that went out. */
  blobBytes(): number;
  stop(): Promise<void>;
}

/** @param bytesPerSecond of all answers together @param options `answerAfterMs`: every answer begins so late */
export async function openSlowDoor(
  origin: { url: string },
  bytesPerSecond: number,
  options: { answerAfterMs?: number } = {},
): Promise<SlowDoor> {
  const requests: string[] = [];
  const line = { freeAtMs: 0 };
  let blobBytes = 0;
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const isBlob = request.url?.includes('/blobs/') ?? false;
    const onBytes = (count: number) => {
      if (isBlob) blobBytes += count;
    };
    // The client sees a broken answer.
    pass(request, response, { ...options, origin, line, bytesPerSecond, onBytes }).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const host = `127.0.0.1:${port}`;
  return { host, url: `http://${host}`, requests, blobBytes: () => blobBytes, stop, [Symbol.asyncDispose]: stop };
}

interface Passing {
  readonly origin: { url: string };
  readonly line: { freeAtMs: number };
  readonly bytesPerSecond: number;
  readonly onBytes: (count: number) => void;
  readonly answerAfterMs?: number;
}

/** The registry sees the door's own name, and answers with absolute addresses nowhere in a pull. */
async function pass(request: IncomingMessage, response: ServerResponse, how: Passing): Promise<void> {
  const asked = askOrigin(`${how.origin.url}${request.url}`, { method: request.method, headers: request.headers });
  request.pipe(asked);
  const [answer]: IncomingMessage[] = await once(asked, 'response');
  if (answer === undefined) throw new Error('The registry gave no answer');
  await sleep(how.answerAfterMs ?? 0);
  response.writeHead(answer.statusCode ?? 500, answer.headers);
  await pipeline(answer, (chunks) => slowly(chunks, how), response);
}

async function* slowly(chunks: AsyncIterable<Buffer>, how: Passing): AsyncIterable<Buffer> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += STEP_BYTES) {
      const step = chunk.subarray(at, at + STEP_BYTES);
      await turn(how, step.length);
      how.onBytes(step.length);
      yield step;
    }
  }
}

/** Waits for its time on the line. */
async function turn({ line, bytesPerSecond }: Passing, bytes: number): Promise<void> {
  const nowMs = performance.now();
  line.freeAtMs = Math.max(line.freeAtMs, nowMs) + (bytes / bytesPerSecond) * MS;
  const waitMs = line.freeAtMs - nowMs;
  if (waitMs > 1) await sleep(waitMs);
}
