/** A stream of JSON values, one a line, each within a bound. */
import { CodedError } from '../../../../core/runtime/errors.ts';

/** An object is 1.5 MiB in etcd, and grows as JSON. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;
const NEWLINE = 10;

/**
 * The values of the lines.
 * @throws CodedError RESOURCE_EXHAUSTED past the bound; DATA_LOSS for a line that is no JSON, or that has no end
 */
export async function* jsonLines(chunks: AsyncIterable<Buffer>, bytesMax = LINE_BYTES_MAX): AsyncGenerator<unknown> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      pieces.push(chunk.subarray(from, end));
      from = end + 1;
      const line = Buffer.concat(pieces).toString('utf8');
      [pieces, bytes] = [[], 0];
      if (line.trim() !== '') yield parse(line);
    }
    pieces.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > bytesMax) throw new CodedError('RESOURCE_EXHAUSTED', `A line has more than ${bytesMax} bytes`);
  }
  if (bytes > 0) throw new CodedError('DATA_LOSS', 'The last line has no end');
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new CodedError('DATA_LOSS', 'A line is no JSON', { cause });
  }
}
