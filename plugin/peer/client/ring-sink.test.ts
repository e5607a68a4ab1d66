import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RingSink } from './ring-sink.ts';

/** Repeats after 251 bytes, so that whatever is out of its place shows. */
const PATTERN = Buffer.from(Array.from({ length: 500_000 }, (_, index) => index % 251));

/** Writes `bytes` as a socket would, as far as there is room. @returns how many */
function fill(sink: RingSink, bytes: Buffer): number {
  const target = sink.target(bytes.length);
  target.set(bytes.subarray(0, target.length));
  if (target.length > 0) sink.filled(target.length);
  return target.length;
}

describe('RingSink', () => {
  it('gives bytes in order whatever the sizes of reads and takes', async () => {
    const sizes = fc.array(fc.record({ write: fc.nat(200_000), take: fc.nat(200_000) }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sizes, async (steps) => {
        const sink = new RingSink(Buffer.alloc(300_000));
        let [written, taken] = [0, 0];
        const expected = (at: number, length: number) => PATTERN.subarray(at % 251, (at % 251) + length);
        for (const { write, take } of steps) {
          written += fill(sink, expected(written, write));
          if (written === taken || take === 0) continue;
          const run = await sink.next(take);
          expect(run.equals(expected(taken, run.length))).toBe(true);
          taken += run.length;
          sink.release(run.length);
        }
        expect(written - taken).toBeLessThanOrEqual(300_000);
      }),
      { numRuns: 50 },
    );
  });

  it('filled() asks to pause while there is still room for what cannot be paused', () => {
    const sink = new RingSink(Buffer.alloc(512 * 1024));
    let isGoing = true;
    while (isGoing) isGoing = sink.filled(sink.target(1_000_000).length);
    let stragglers = 0;
    for (let target = sink.target(16_384); target.length > 0; target = sink.target(16_384)) {
      sink.filled(target.length);
      stragglers += target.length;
    }
    expect(stragglers).toBeGreaterThanOrEqual(64 * 1024);
  });

  it('next() gives nothing more once the body has failed', async () => {
    const sink = new RingSink(Buffer.alloc(512 * 1024));
    fill(sink, Buffer.from('bytes'));
    sink.fail(new Error('broken'));
    await expect(sink.next(5)).rejects.toThrow('broken');
  });
});
