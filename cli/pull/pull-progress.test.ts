import { describe, expect, it } from '@jest/globals';
import { type BlobStep, PullProgress, progressText } from './pull-progress.ts';

function step(digest: string, bytesPresent: number, state: string): BlobStep {
  return { digest, mediaType: 'm', size: 1000, bytesPresent, state };
}

describe('PullProgress', () => {
  it('sums blobs and bytes, without what is skipped', () => {
    const progress = new PullProgress();
    progress.apply(step('a', 0, 'waiting'), 0);
    progress.apply(step('b', 1000, 'done'), 0);
    progress.apply(step('c', 0, 'skipped'), 0);
    expect(progress.totals()).toMatchObject({ blobs: 2, blobsDone: 1, bytes: 2000, bytesPresent: 1000 });
  });

  it('takes rate and rest from what moves, not from what was here', () => {
    const progress = new PullProgress();
    progress.apply(step('here', 0, 'waiting'), 0);
    progress.apply(step('a', 0, 'fetching'), 0);
    progress.apply(step('here', 1000, 'done'), 100);
    expect(progress.totals().rate).toBeUndefined();
    progress.apply(step('a', 500, 'fetching'), 1000);
    expect(progress.totals()).toMatchObject({ rate: 500, leftMs: 1000 });
  });

  it('forgets what is long ago', () => {
    const progress = new PullProgress();
    progress.apply(step('a', 0, 'fetching'), 0);
    progress.apply(step('a', 900, 'fetching'), 1000);
    progress.apply(step('a', 900, 'fetching'), 8000);
    progress.apply(step('a', 950, 'fetching'), 9000);
    expect(progress.totals().rate).toBeCloseTo(50);
  });
});

describe('progressText()', () => {
  it('reads well with and without a rate', () => {
    const totals = { blobs: 7, blobsDone: 3, bytes: 70 * 2 ** 20, bytesPresent: 2 ** 20, bytesFetched: 0 };
    expect(progressText({ ...totals, rate: undefined, leftMs: undefined })).toBe('3/7 blobs, 1 MiB of 70 MiB');
    expect(progressText({ ...totals, rate: 2 ** 20, leftMs: 68_200 })).toBe(
      '3/7 blobs, 1 MiB of 70 MiB, 1 MiB/s, 1m9s left',
    );
  });
});
