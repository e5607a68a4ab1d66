import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compilePattern } from './filter-pattern.ts';

const matches = (pattern: string, text: string) => compilePattern(pattern)?.matches(text);

describe('compilePattern()', () => {
  it.each([
    ['abc', 'xabcx', true],
    ['^abc$', 'xabc', false],
    ['^sha256:[0-9a-f]{64}$', `sha256:${'0a'.repeat(32)}`, true],
    ['^sha256:[0-9a-f]{64}$', `sha256:${'0a'.repeat(31)}`, false],
    ['a|b|', '', true],
    ['^(?:ab|cd)+$', 'abcdab', true],
    ['^(?P<x>ab){2,3}?$', 'ababab', true],
    ['^(ab){2,3}$', 'abababab', false],
    ['^a{2,}$', 'aaaa', true],
    ['(?i)HELLO', 'say hello', true],
    ['(?i:H)ello', 'hELLO', false],
    ['a.c', 'a\nc', false],
    ['(?s)a.c', 'a\nc', true],
    ['(?m)^b$', 'a\nb\nc', true],
    ['\\bfoo\\b', 'a foo b', true],
    ['\\Bfoo', 'afoo', true],
    ['^\\d\\w\\s\\D\\W\\S$', '1_\tx-y', true],
    ['^[[:alpha:]_\\d]+$', 'a_1', true],
    ['^[]a]+$', ']a', true],
    ['^[^a-c]$', 'b', false],
    ['^\\pL\\p{Greek}\\PL$', 'aω1', true],
    ['^\\x41\\x{1F41F}\\101$', 'A🐟A', true],
    ['\\Qa.b\\E$', 'a.b', true],
    ['^\\.\\*$', '.*', true],
    ['\\Aab\\z', 'ab', true],
    ['^a{,2}$', 'a{,2}', true],
    ['', 'anything', true],
  ])('matches as RE2 does when given %j on %j', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it.each([
    '(',
    ')',
    'a**',
    '*a',
    '[a',
    '[z-a]',
    '\\',
    '\\y',
    '(?=a)',
    '(?<!a)',
    'a{2,1}',
    'a{1001}',
    '\\1',
    '(a{500}){500}',
  ])('is undefined when RE2 would refuse %j', (pattern) => {
    expect(compilePattern(pattern)).toBeUndefined();
  });

  it('takes time linear in the text when a backtracking engine would not end', () => {
    expect(matches('^(a+)+$', `${'a'.repeat(4000)}b`)).toBe(false);
    expect(matches('(x+x+)+y', 'x'.repeat(4000))).toBe(false);
  });

  it('agrees with JavaScript on what both understand', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(?:ab)', '^', '$', '\\b');
    const count = fc.constantFrom('', '*', '+', '?', '{1,2}', '{2}', '*?');
    const part = fc.tuple(atom, count).map(([what, many]) => (/[$^]|\\b/.test(what) ? what : what + many));
    const pattern = fc.array(fc.oneof(part, fc.constant('|')), { maxLength: 8 }).map((parts) => parts.join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 });
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        expect(matches(source, subject)).toBe(new RegExp(source, 's').test(subject));
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (source, text) => void matches(source, text)));
  });
});
