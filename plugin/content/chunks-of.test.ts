import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CodedError } from '../../core/runtime/errors.ts';
import type { OpenBytes } from '../store/blob-store.ts';
import { CHUNK_BYTES_MAX, chunksOf } from './chunks-of.ts';

const signal = new AbortController().signal;

/** Each chunk's bytes are its number; reads fail from `failsAt` on. */
function numbered(size: number, failsAt = Number.POSITIVE_INFINITY): OpenBytes & { isClosed: boolean } {
  return {
    size,
    isClosed: false,
    async read(into, offset) {
      if (offset >= failsAt) throw new CodedError('INTERNAL', 'Broken disk');
      const count = Math.min(into.length, size - offset);
      into.fill(Math.floor(offset / CHUNK_BYTES_MAX), 0, count);
      return count;
    },
    async close() {
      this.isClosed = true;
    },
  };
}

describe('chunksOf()', () => {
  it('gives chunks that hold their bytes while the next one is read', async () => {
    const bytes = numbered(3 * CHUNK_BYTES_MAX + 5);
    const lengths: number[] = [];
    for await (const chunk of chunksOf(bytes, { start: 0, end: bytes.size }, signal)) {
      await sleep(1);
      expect(new Set(chunk)).toEqual(new Set([lengths.length]));
      lengths.push(chunk.length);
    }
    expect(lengths).toEqual([CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, 5]);
    expect(bytes.isClosed).toBe(true);
  });

  it('tells of a read ahead that failed when its chunk is asked for, however late that is', async () => {
    const bytes = numbered(3 * CHUNK_BYTES_MAX, CHUNK_BYTES_MAX);
    const chunks = chunksOf(bytes, { start: 0, end: bytes.size }, signal);
    expect((await chunks.next()).value?.length).toBe(CHUNK_BYTES_MAX);
    // A rejection that nobody listens to by now would end the process.
    await sleep(20);
    await expect(chunks.next()).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(bytes.isClosed).toBe(true);
  });

  it('closes the bytes after the read that runs when nobody wants the rest', async () => {
    const bytes = numbered(3 * CHUNK_BYTES_MAX, CHUNK_BYTES_MAX);
    for await (const chunk of chunksOf(bytes, { start: 0, end: bytes.size }, signal)) {
      expect(chunk.length).toBe(CHUNK_BYTES_MAX);
      break;
    }
    expect(bytes.isClosed).toBe(true);
  });
});
