/** Reading texts of a size that nobody promised. */
import { createReadStream } from 'node:fs';
import { CodedError } from '../../../core/runtime/errors.ts';
import { formatBytes } from '../../../core/runtime/units.ts';

/** A dump of a large cluster as JSON; beyond it a wrong file was named. */
export const FILE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * All bytes of a stream, as UTF-8 without its byte order mark.
 * @throws CodedError RESOURCE_EXHAUSTED beyond `bytesMax`; INVALID_ARGUMENT when it is not UTF-8; the stream's own
 */
export async function readText(
  stream: AsyncIterable<Uint8Array>,
  { signal, bytesMax = FILE_BYTES_MAX }: { signal: AbortSignal; bytesMax?: number },
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    signal.throwIfAborted();
    bytes += chunk.length;
    if (bytes > bytesMax) throw new CodedError('RESOURCE_EXHAUSTED', `It has more than ${formatBytes(bytesMax)}`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new CodedError('INVALID_ARGUMENT', 'It is not text in UTF-8', { cause });
  }
}

/** The text of a file. @throws as `readText`, and what the file system says */
export function readFileText(file: string, options: { signal: AbortSignal; bytesMax?: number }): Promise<string> {
  return readText(createReadStream(file, { signal: options.signal }), options);
}
