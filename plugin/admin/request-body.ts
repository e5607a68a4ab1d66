/** A small JSON body, read within bounds. */
import type { IncomingMessage } from 'node:http';
import { CodedError } from '../../core/runtime/errors.ts';

/** A reference, a platform and room to spare. */
export const BODY_BYTES_MAX = 16 * 1024;
/** A caller sends what it has at once, milliseconds. */
const BODY_TIMEOUT_MS = 20_000;

/**
 * The JSON object that a request carries.
 * @throws CodedError INVALID_ARGUMENT for anything else, or more than `bytesMax`
 */
export async function readJsonObject(
  request: IncomingMessage,
  bytesMax: number = BODY_BYTES_MAX,
): Promise<Record<string, unknown>> {
  const value = parseJson(await readText(request, bytesMax));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CodedError('INVALID_ARGUMENT', 'Body is not a JSON object');
  }
  return Object.fromEntries(Object.entries(value));
}

async function readText(request: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const late = new CodedError('CANCELLED', `Body has not come in ${BODY_TIMEOUT_MS / 1000} s`);
  const timer = setTimeout(() => request.destroy(late), BODY_TIMEOUT_MS);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new CodedError('INVALID_ARGUMENT', `Body has more than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CodedError('INVALID_ARGUMENT', 'Body is not JSON', { cause: error });
  }
}
