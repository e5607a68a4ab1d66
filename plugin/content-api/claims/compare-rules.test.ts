import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '../../../core/oci/digest.ts';
import type { BlobStat, Hold } from '../../store/blob-store.ts';
import { UNLISTED_CLAIM_MS, compare, isSuspicious } from './compare-rules.ts';

const [HELD, CACHED, CLAIMED, GONE, UNLISTED, YOUNG] = ['held', 'cached', 'claimed', 'gone', 'unlisted', 'young'].map(
  (name) => digestOf(name),
) as [Digest, Digest, Digest, Digest, Digest, Digest];
const blob = (digest: Digest, hold: Hold): BlobStat => ({
  ...{ digest, size: 1, createdAtMs: 0, usedAtMs: 0 },
  holds: new Set([hold]),
});
const claim = (digest: Digest, claimedAtMs: number) => ({ digest, size: 1, sources: [], claimedAtMs });

describe('compare()', () => {
  it('sorts what is listed into held, to link, claimed and missing, and ends old claims that are not listed', () => {
    const here = new Map([
      [HELD, blob(HELD, 'containerd')],
      [CACHED, blob(CACHED, 'cache')],
    ]);
    const listed = [HELD, CACHED, CLAIMED, GONE].map((digest) => ({
      digest,
      size: 1,
      labels: new Map<string, string>(),
    }));
    const nowMs = UNLISTED_CLAIM_MS * 2;
    const result = compare({
      listed: new Map(listed.map((content) => [content.digest, content])),
      claims: [claim(CLAIMED, 0), claim(UNLISTED, 0), claim(YOUNG, nowMs - 1000)],
      stat: (digest) => here.get(digest),
      isTakenCareOf: (digest) => digest === CLAIMED,
      nowMs,
    });
    expect(result.link).toEqual([CACHED]);
    expect(result.missing.map(({ digest }) => digest)).toEqual([GONE]);
    expect(result.ended).toEqual([UNLISTED]);
  });
});

describe('isSuspicious()', () => {
  it('takes many missing blobs that are most of the list for a wrong directory', () => {
    expect(isSuspicious({ listed: 30, missing: 30 })).toBe(true);
    expect(isSuspicious({ listed: 19, missing: 19 })).toBe(false);
    expect(isSuspicious({ listed: 1000, missing: 30 })).toBe(false);
  });
});
