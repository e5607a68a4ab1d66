import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteRanges } from './byte-ranges.ts';
import { BATCH_BUFFERS_MAX, BATCH_BYTES_MAX, takeBatch, type WaitingWrite } from './write-batch.ts';

function waiting(start: number, bytes: Uint8Array): WaitingWrite {
  return { start, bytes, at: start };
}

describe('takeBatch()', () => {
  it('joins writes that touch', () => {
    const batch = takeBatch([waiting(0, Buffer.alloc(10)), waiting(10, Buffer.alloc(5))], new ByteRanges());
    expect(batch).toMatchObject({ offset: 0, byteCount: 15, doneCount: 2 });
    expect(batch.buffers).toHaveLength(2);
  });

  it('stops at a gap and at one mebibyte', () => {
    const apart = takeBatch([waiting(0, Buffer.alloc(10)), waiting(11, Buffer.alloc(5))], new ByteRanges());
    expect(apart).toMatchObject({ byteCount: 10, doneCount: 1 });
    const large = waiting(0, Buffer.alloc(BATCH_BYTES_MAX + 1));
    expect(takeBatch([large], new ByteRanges())).toMatchObject({ byteCount: BATCH_BYTES_MAX, doneCount: 0 });
    expect(large.at).toBe(BATCH_BYTES_MAX);
    const many = Array.from({ length: BATCH_BUFFERS_MAX + 1 }, (_, at) => waiting(at, Buffer.alloc(1)));
    expect(takeBatch(many, new ByteRanges()).buffers).toHaveLength(BATCH_BUFFERS_MAX);
  });

  it('keeps the first bytes written at an offset, whatever comes later', () => {
    const write = fc.record({ start: fc.nat(60), bytes: fc.uint8Array({ minLength: 0, maxLength: 20 }) });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 20 }), (writes) => {
        const wanted = new Map<number, number>();
        for (const { start, bytes } of writes) {
          for (const [index, byte] of bytes.entries()) if (!wanted.has(start + index)) wanted.set(start + index, byte);
        }
        expect(drain(writes.map(({ start, bytes }) => waiting(start, bytes)))).toEqual(wanted);
      }),
    );
  });
});

/** Writes every batch to a map of bytes, as the queue writes them to the file. */
function drain(jobs: WaitingWrite[]): Map<number, number> {
  const present = new ByteRanges();
  const file = new Map<number, number>();
  while (jobs.length > 0) {
    const batch = takeBatch(jobs, present);
    const bytes = Buffer.concat(batch.buffers);
    for (const [index, byte] of bytes.entries()) {
      expect(file.has(batch.offset + index)).toBe(false);
      file.set(batch.offset + index, byte);
    }
    present.add(batch.offset, batch.offset + batch.byteCount);
    jobs.splice(0, batch.doneCount);
  }
  return file;
}
