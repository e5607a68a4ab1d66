import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatPath, matchPattern, parsePattern, valueAt } from './path-pattern.ts';

const VALUE = { a: [{ b: 1 }, { b: 2 }], xSpecs: { P: { i: 'p' }, W: { i: 'w' } }, 'k.e"y': { z: 3 } };

describe('matchPattern()', () => {
  it.each([
    ['a[].b', ['a[0].b', 'a[1].b']],
    ['*Specs.*.i', ['xSpecs.P.i', 'xSpecs.W.i']],
    ['["k.e\\"y"].z', ['["k.e\\"y"].z']],
    ['a.b', []],
    ['missing[].x', []],
  ])('finds %s', (pattern, paths) => {
    expect(matchPattern(VALUE, parsePattern(pattern)).map(({ path }) => formatPath(path))).toEqual(paths);
  });

  it('keeps what wildcards stood for, so that another pattern can follow', () => {
    const [, second] = matchPattern(VALUE, parsePattern('a[].b'));
    expect(valueAt(VALUE, parsePattern('a[]'), second?.captures ?? [])).toEqual({ b: 2 });
  });

  it('does not find what only a prototype has', () => {
    expect(matchPattern({}, parsePattern('constructor.name'))).toEqual([]);
  });
});

describe('parsePattern()', () => {
  it.each(['a..b', '.a', 'a[', 'a[0', 'a b[x]', '["x', 'x'.repeat(501)])('refuses %s', (text) =>
    expect(() => parsePattern(text)).toThrow(/is not a path/),
  );

  it('reads back any path of keys that formatPath writes', () => {
    const key = fc.string({ minLength: 1 }).filter((text) => !text.includes('*'));
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 5 }), (keys) => {
        fc.pre(formatPath(keys).length <= 500 && !/[\p{Cc}\\]/u.test(keys.join('')));
        const value = keys.reduceRight<unknown>((inner, name) => Object.fromEntries([[name, inner]]), 'leaf');
        expect(matchPattern(value, parsePattern(formatPath(keys))).map((match) => match.value)).toEqual(['leaf']);
      }),
    );
  });
});
