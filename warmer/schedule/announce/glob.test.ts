import { describe, expect, it } from '@jest/globals';
import { isGlobMatch } from './glob.ts';

describe('isGlobMatch()', () => {
  it.each([
    ['*', '', true],
    ['pay-*', 'pay-web', true],
    ['pay-*', 'repay-web', false],
    ['*-prod', 'web-prod', true],
    ['*-prod', 'web-prod-2', false],
    ['a*b*c', 'aXbYbZc', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['', '', true],
    ['', 'a', false],
  ])('matches "%s" with "%s": %s', (glob, text, expected) => expect(isGlobMatch(glob, text)).toBe(expected));

  it('is quick with a pattern of stars', () => {
    const start = performance.now();
    expect(isGlobMatch('*a'.repeat(200), 'a'.repeat(400).concat('b'))).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
