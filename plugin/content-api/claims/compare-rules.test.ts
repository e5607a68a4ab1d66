import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '../../../core/oci/digest.ts';
import type { BlobStat, Hold } from '../../store/blob-store.ts';
import { UNLISTED_CLAIM_MS, compare } from './compare-rules.ts';

const [HELD, CACHED, CLAIMED, GONE, UNLISTED, YOUNG] = ['held', 'cached', 'claimed', 'gone', 'unlisted', 'young'].map(
  (name) => digestOf(name),
) as [Digest, Digest, Digest, Digest, Digest, Digest];
const blob = (digest: Digest, hold: Hold): BlobStat => ({
  ...{ digest, size: 1, createdAtMs: 0, usedAtMs: 0 },
  holds: new Set([hold]),
});
const claim = (digest: Digest, askedAtMs: number) => ({ digest, askedAtMs });

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

  it('takes it for a wrong directory when most manifests are missing, and for lost claims when only layers are', () => {
    const names = Array.from({ length: 30 }, (_, at) => digestOf(`blob ${at}`));
    const facts = (manifestCount: number, hereCount: number) => ({
      listed: new Map(
        names.map((digest, at) => {
          const label: [string, string][] = at < manifestCount ? [['containerd.io/gc.ref.content.config', HELD]] : [];
          return [digest, { digest, size: 1, labels: new Map(label) }] as const;
        }),
      ),
      claims: [],
      stat: (digest: Digest) => (names.indexOf(digest) < hereCount ? blob(digest, 'containerd') : undefined),
      isTakenCareOf: () => false,
      nowMs: 0,
    });
    expect(compare(facts(10, 0)).isWrongDirectory).toBe(true);
    expect(compare(facts(10, 4)).isWrongDirectory).toBe(true);
    expect(compare(facts(10, 5)).isWrongDirectory).toBe(false);
    expect(compare(facts(4, 0)).isWrongDirectory).toBe(false);
    expect(compare(facts(10, 10)).isWrongDirectory).toBe(false);
  });
});
