import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseEnvFile } from './env-file.ts';
import { interpolate } from './interpolate.ts';

const VARIABLES = new Map([
  ['SET', 'value'],
  ['EMPTY', ''],
  ['DOLLAR', '$SET'],
]);

describe('interpolate()', () => {
  it.each([
    ['plain', 'plain'],
    ['$SET/${SET}', 'value/value'],
    ['$$SET $${SET}', '$SET ${SET}'],
    ['${UNSET:-d} ${UNSET-d}', 'd d'],
    ['${EMPTY:-d} ${EMPTY-d}', 'd '],
    ['${SET:-d} ${SET-d}', 'value value'],
    ['${SET:+o} ${SET+o} ${EMPTY:+o} ${EMPTY+o} ${UNSET:+o}', 'o o  o '],
    ['${UNSET:-${OTHER:-${SET}}}', 'value'],
    ['${SET:?must} ${SET?must} ${EMPTY?must}', 'value value '],
    ['${DOLLAR}', '$SET'],
    ['${UNSET:-a:b-c}', 'a:b-c'],
    ['${SET:-${UNSET:?never asked}}', 'value'],
  ])('makes of %s', (text, expected) => expect(interpolate(text, VARIABLES)).toEqual({ text: expected }));

  it.each([
    ['${UNSET}', /"UNSET" is not set/],
    ['$UNSET', /"UNSET" is not set/],
    ['${UNSET:?give me}', /"UNSET" must be set: give me/],
    ['${EMPTY:?give me}', /"EMPTY" must be set/],
    ['${UNSET?}', /"UNSET" must be set/],
    ['${', /not well formed/],
    ['${SET', /not well formed/],
    ['${SET!}', /not well formed/],
    ['$1', /not well formed/],
    ['$', /not well formed/],
    [`${'${A:-'.repeat(30)}x${'}'.repeat(30)}`, /not well formed/],
  ])('tells what is wrong with %s', (text, problem) => expect(interpolate(text, VARIABLES).problem).toMatch(problem));

  it('ends, whatever the text', () => {
    const piece = fc.constantFrom('$', '{', '}', 'SET', ':-', ':?', '-', '+', ' ', '$$');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(typeof interpolate(pieces.join(''), VARIABLES).text).toBe('string');
      }),
    );
  });
});

describe('parseEnvFile()', () => {
  it('reads names, quotes, comments and earlier variables', () => {
    const text = [
      '# comment',
      'A=1',
      'export B = two # trailing',
      "C='single $A # no'",
      'D="double $A\\n\\"x\\""',
      'E=${A}-${SET}-${MISSING:-none}',
      'F=',
      'G: yaml-like',
      'not a line',
      'A=again',
      'SET=own',
    ].join('\n');
    expect(Object.fromEntries(parseEnvFile(text, VARIABLES))).toEqual({
      A: 'again',
      B: 'two',
      C: 'single $A # no',
      D: 'double 1\n"x"',
      E: '1-value-none',
      F: '',
      G: 'yaml-like',
      SET: 'own',
    });
  });
});
