import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { ManualClock } from './fakes/manual-clock.ts';
import { SpoiledReads } from './spoiled-reads.ts';

const digest = digestOf('spoiled');

describe('isSpoiled()', () => {
  it('is true for reads that go on, until one begins anew', () => {
    const reads = new SpoiledReads(new ManualClock());
    expect(reads.isSpoiled(digest, 5)).toBe(false);
    reads.add(digest);
    expect(reads.isSpoiled(digest, 5)).toBe(true);
    expect(reads.isSpoiled(digestOf('other'), 5)).toBe(false);
    expect(reads.isSpoiled(digest, 0)).toBe(false);
    expect(reads.isSpoiled(digest, 5)).toBe(false);
  });

  it('ends after a while, and for the oldest when there are many', async () => {
    const clock = new ManualClock();
    const reads = new SpoiledReads(clock);
    reads.add(digest);
    await clock.advance(60_100);
    expect(reads.isSpoiled(digest, 5)).toBe(false);
    reads.add(digest);
    for (let at = 0; at < 1_024; at += 1) reads.add(digestOf(`${at}`));
    expect(reads.isSpoiled(digest, 5)).toBe(false);
    expect(reads.isSpoiled(digestOf('0'), 5)).toBe(true);
  });
});
