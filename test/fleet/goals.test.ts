import { describe, expect, it } from '@jest/globals';
import { judge, type Measured } from './goals.ts';

const GOOD: Measured = {
  scenario: 'at-once',
  share: { median: 0.85, worst: 0.75 },
  upstreamCopies: 1.05,
  failures: 0,
  wrongBlobs: 0,
};

describe('judge()', () => {
  it('is content with what just reaches the goals', () => {
    expect(judge(GOOD)).toEqual({
      share: true,
      upstreamCopies: true,
      noFailedPull: true,
      noWrongByte: true,
      met: true,
    });
  });

  it.each<[string, Partial<Measured>, string]>([
    ['a slow median', { share: { median: 0.84, worst: 0.84 } }, 'share'],
    ['a slow node', { share: { median: 0.95, worst: 0.74 } }, 'share'],
    ['copies', { upstreamCopies: 1.06 }, 'upstreamCopies'],
    ['a failed pull', { failures: 1 }, 'noFailedPull'],
    ['a wrong byte', { wrongBlobs: 1 }, 'noWrongByte'],
  ])('is not content with %s', (_, change, goal) => {
    expect(judge({ ...GOOD, ...change })).toMatchObject({ [goal]: false, met: false });
  });

  it('allows more copies when the owner was killed', () => {
    expect(judge({ ...GOOD, scenario: 'owner-killed', upstreamCopies: 1.2 }).met).toBe(true);
    expect(judge({ ...GOOD, scenario: 'owner-killed', upstreamCopies: 1.21 }).met).toBe(false);
  });

  it('asks for no speed where there is none to measure', () => {
    expect(judge({ ...GOOD, share: undefined })).toMatchObject({ share: null, met: true });
  });
});
