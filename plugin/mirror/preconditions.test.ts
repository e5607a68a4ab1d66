import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { evaluate, isRangeWanted } from './preconditions.ts';

const DIGEST = digestOf('x');

describe('evaluate()', () => {
  it.each([
    [{}, 'send'],
    [{ ifNoneMatch: `"${DIGEST}"` }, 'not-modified'],
    [{ ifNoneMatch: `"a", W/"${DIGEST}"` }, 'not-modified'],
    [{ ifNoneMatch: DIGEST }, 'not-modified'],
    [{ ifNoneMatch: '*' }, 'not-modified'],
    [{ ifNoneMatch: '"a"' }, 'send'],
    [{ ifMatch: `"${DIGEST}"` }, 'send'],
    [{ ifMatch: '*' }, 'send'],
    [{ ifMatch: `W/"${DIGEST}"` }, 'failed'],
    [{ ifMatch: '"a"', ifNoneMatch: `"${DIGEST}"` }, 'failed'],
  ])('of %j is %s', (headers, expected) => {
    expect(evaluate(headers, DIGEST)).toBe(expected);
  });
});

describe('isRangeWanted()', () => {
  it('takes the strong entity tag alone', () => {
    expect(isRangeWanted({}, DIGEST)).toBe(true);
    expect(isRangeWanted({ ifRange: ` "${DIGEST}" ` }, DIGEST)).toBe(true);
    for (const ifRange of [`W/"${DIGEST}"`, '"a"', 'Sun, 22 Nov 2026 00:00:00 GMT', '']) {
      expect(isRangeWanted({ ifRange }, DIGEST)).toBe(false);
    }
  });
});
