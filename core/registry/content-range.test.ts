import { describe, expect, it } from '@jest/globals';
import { parseContentRange } from './content-range.ts';

describe('parseContentRange()', () => {
  it.each([
    ['bytes 0-9/100', { start: 0, end: 10, size: 100 }],
    ['Bytes 5-5/*', { start: 5, end: 6 }],
    ['bytes 0-99/100', { start: 0, end: 100, size: 100 }],
    ['bytes 0-100/100', undefined],
    ['bytes 9-5/100', undefined],
    ['bytes */100', undefined],
    ['items 0-9/100', undefined],
    ['bytes 0-9007199254740992/*', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %s', (value, wanted) => {
    expect(parseContentRange(value)).toEqual(wanted);
  });
});
