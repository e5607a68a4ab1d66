import { describe, expect, it } from '@jest/globals';
import { jsonLines } from './json-lines.ts';

async function read(chunks: readonly string[], bytesMax?: number): Promise<unknown[]> {
  const found: unknown[] = [];
  async function* bytes() {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  for await (const value of jsonLines(bytes(), bytesMax)) found.push(value);
  return found;
}

const LATIN = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

describe('jsonLines()', () => {
  it('reads values wherever the stream is cut, also within a letter', async () => {
    const text = LATIN('{"a":"ä"}\n\n[1]\r\n{"b":2}\n');
    for (let at = 0; at <= text.length; at += 1) {
      expect(await read([text.slice(0, at), text.slice(at)])).toEqual([{ a: 'ä' }, [1], { b: 2 }]);
    }
  });

  it('gives what was whole before it tells what is not', async () => {
    await expect(read(['{}\n{"a":'])).rejects.toMatchObject({ code: 'DATA_LOSS', message: 'The last line has no end' });
    await expect(read(['{}\nnonsense\n'])).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });

  it('refuses a line without end', async () => {
    await expect(read(['x'.repeat(60), 'x'.repeat(60)], 100)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(await read(['"1234567890"\n"12', '34567890"\n'], 12)).toHaveLength(2);
  });
});
