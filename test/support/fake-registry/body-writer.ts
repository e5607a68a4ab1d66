/** Writes a body the way a fault wants it: slowly, in part, or never to its end. Respects back pressure. */
import type { ServerResponse } from 'node:http';

export interface WritingFaults {
  /** Ends the connection after so many bytes. */
  truncateAfter?: number | undefined;
  /** Stops after so many bytes and leaves the connection open. */
  stallAfter?: number | undefined;
  bytesPerSecond?: number | undefined;
}

const CHUNK_BYTES = 64 * 1024;
/** Slow bodies are sent so often. */
const TICKS_PER_SECOND = 20;

/** Resolves when all is written, or when the connection is gone. `onBytes` is told of what was handed over. */
export async function writeBody(
  response: ServerResponse,
  body: Buffer,
  options: WritingFaults & { onBytes: (bytes: number) => void },
): Promise<void> {
  const { bytesPerSecond, stallAfter = Number.POSITIVE_INFINITY, truncateAfter = Number.POSITIVE_INFINITY } = options;
  const end = Math.min(body.length, stallAfter, truncateAfter);
  const step = bytesPerSecond === undefined ? CHUNK_BYTES : Math.max(1, Math.ceil(bytesPerSecond / TICKS_PER_SECOND));
  for (let at = 0; at < end; at += step) {
    const chunk = body.subarray(at, Math.min(end, at + step));
    const isBuffered = response.write(chunk);
    options.onBytes(chunk.length);
    if (!isBuffered) await drained(response);
    if (bytesPerSecond !== undefined) await new Promise((resolve) => setTimeout(resolve, 1000 / TICKS_PER_SECOND));
    if (response.destroyed) return;
  }
  if (truncateAfter < body.length) await breakOff(response);
  else if (stallAfter >= body.length) response.end();
}

/** Resolves when there is room again, or when the connection is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
    if (response.destroyed) done();
  });
}

/** What was written so far still arrives: the break comes after it. */
async function breakOff(response: ServerResponse): Promise<void> {
  response.flushHeaders();
  await new Promise((resolve) => response.write('', resolve));
  await new Promise(setImmediate);
  response.socket?.end();
}
