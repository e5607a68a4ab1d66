/** Bytes cut into lines. */
import { CodedError } from './errors.ts';

/** No answer of ours has lines near this length. */
export const LINE_CHARACTERS_MAX = 1 << 20;

/** Every line without its end, empty ones left out. @throws CodedError DATA_LOSS for an endless line */
export async function* linesOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARACTERS_MAX) throw new CodedError('DATA_LOSS', 'An answer has a line without end');
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}
