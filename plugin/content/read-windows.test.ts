import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { ManualClock, settle } from './fakes/manual-clock.ts';
import { STRETCH_BYTES } from './blob-window.ts';
import { ReadWindows, WINDOW_IDLE_MS, WINDOWS_BYTES_MAX, WINDOWS_MAX } from './read-windows.ts';

const size = 6 * STRETCH_BYTES + 777;
const blob = Buffer.from(
  Uint32Array.from({ length: Math.ceil(size / 4) }, (_, at) => at * 2_654_435_761).buffer,
).subarray(0, size);
const digest = digestOf('some blob');

function setUp() {
  const counts = { reads: 0, open: 0, opened: 0, longest: 0 };
  const stale = { is: false };
  const held: (() => void)[] = [];
  const gate = { isShut: false };
  const clock = new ManualClock();
  const open = async () => {
    counts.open += 1;
    counts.opened += 1;
    return {
      readableAt: (offset: number) => Math.max(0, size - offset),
      read: async (into: Uint8Array, offset: number) => {
        counts.reads += 1;
        counts.longest = Math.max(counts.longest, into.length);
        if (gate.isShut) await new Promise<void>((resolve) => held.push(resolve));
        return blob.copy(into, 0, offset, offset + into.length);
      },
      isStale: () => stale.is,
      close: async () => {
        counts.open -= 1;
      },
    };
  };
  return { counts, stale, held, gate, clock, windows: new ReadWindows({ clock, open }) };
}

/** One after another, from memory when it is there. */
async function readThrough(
  windows: ReadWindows,
  step: number,
  of: Digest = digest,
): Promise<{ isRight: boolean; misses: number }> {
  let isRight = true;
  let misses = 0;
  for (let at = 0; at < size; ) {
    const end = Math.min(size, at + step);
    const now = windows.now(of, at, end);
    if (now === undefined) misses += 1;
    const bytes = now ?? (await windows.take(of, at, end));
    isRight &&= blob.subarray(at, at + bytes.length).equals(bytes);
    at += bytes.length;
    await settle();
  }
  return { isRight, misses };
}

describe('now()', () => {
  it('meets reads one after another from memory, with one read below for each stretch', async () => {
    const { windows, counts } = setUp();
    expect(await readThrough(windows, 32_768)).toEqual({ isRight: true, misses: 1 });
    expect(counts.reads).toBe(Math.ceil(size / STRETCH_BYTES));
  });

  it('meets reads across two stretches', async () => {
    const { windows } = setUp();
    expect(await readThrough(windows, 50_001)).toEqual({ isRight: true, misses: 1 });
  });

  it('gives nothing of a blob that was dropped', async () => {
    const { windows, counts } = setUp();
    const given = await windows.take(digest, 0, 100);
    windows.drop(digest);
    expect(windows.now(digest, 0, 100)).toBeUndefined();
    await settle();
    expect(counts.open).toBe(0);
    expect(blob.subarray(0, 100).equals(given)).toBe(true);
  });
});

describe('take()', () => {
  it('reads what was asked for and no more when a reader jumps about', async () => {
    const { windows, counts } = setUp();
    for (const at of [4_000_000, 1_000_000, 5_000_000, 2_000_000]) {
      expect(blob.subarray(at, at + 1000).equals(await windows.take(digest, at, at + 1000))).toBe(true);
    }
    expect(counts).toMatchObject({ reads: 4, longest: 1000, opened: 1 });
  });

  it('shares one read below among those who ask at once', async () => {
    const { windows, counts } = setUp();
    const takes = await Promise.all([0, 1, 2, 3].map((at) => windows.take(digest, at * 32_768, (at + 1) * 32_768)));
    expect(blob.subarray(0, 4 * 32_768).equals(Buffer.concat(takes))).toBe(true);
    expect(counts.opened).toBe(1);
  });

  it('opens again when what it read from is over', async () => {
    const { windows, counts, stale } = setUp();
    await windows.take(digest, 0, 100);
    stale.is = true;
    await windows.take(digest, STRETCH_BYTES, STRETCH_BYTES + 100);
    expect(counts).toMatchObject({ opened: 2, open: 1 });
  });

  it('is finished although its window is dropped meanwhile, and closes then', async () => {
    const { windows, counts, gate, held } = setUp();
    gate.isShut = true;
    const taking = windows.take(digest, 0, 100);
    await settle();
    windows.drop(digest);
    await settle();
    expect(counts.open).toBe(1);
    for (const go of held) go();
    expect(blob.subarray(0, 100).equals(await taking)).toBe(true);
    await settle();
    expect(counts.open).toBe(0);
  });
});

describe('bounds', () => {
  it('hold for handles and bytes, however many blobs are read', async () => {
    const { windows, counts } = setUp();
    for (let at = 0; at < WINDOWS_MAX + 20; at += 1) {
      const other = digestOf(`blob ${at}`);
      await windows.take(other, 0, 1000);
      await windows.take(other, 1000, 2000);
      await settle();
      expect(windows.bytes).toBeLessThanOrEqual(WINDOWS_BYTES_MAX);
      expect(windows.count).toBeLessThanOrEqual(WINDOWS_MAX);
    }
    expect(counts.open).toBe(windows.count);
  });

  it('close what nobody reads', async () => {
    const { windows, counts, clock } = setUp();
    await windows.take(digest, 0, 100);
    await clock.advance(WINDOW_IDLE_MS - 100);
    windows.closeIdle();
    expect(windows.count).toBe(1);
    await clock.advance(200);
    windows.closeIdle();
    await settle();
    expect(counts.open).toBe(0);
  });
});
