import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { documentOf } from '../yaml/positioned.ts';
import { readJsonText } from './json-text.ts';

function valuesOf(text: string): unknown[] {
  return [...readJsonText(text)].map((node) => documentOf(node, { file: 'f', document: 1 }).value);
}

describe('readJsonText()', () => {
  it('gives what JSON.parse gives, however it is written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 0, max: 4 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(valuesOf(`${text}\n${text}`)).toEqual([JSON.parse(text), JSON.parse(text)]);
      }),
    );
  });

  it('refuses what JSON.parse refuses', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '1',
      '-',
      '.5',
      'true',
      'nul',
      ' ',
      '\n',
      '\\',
      '01',
      // Not '1e': JSON.parse reads what is beyond a double as infinite.
      '1e-',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        let expected: unknown[] | undefined;
        try {
          expected = [JSON.parse(text)];
        } catch {
          expected = undefined;
        }
        let found: unknown[] | undefined;
        try {
          found = valuesOf(text);
        } catch {
          found = undefined;
        }
        // Several values in a row are a stream to us, and nothing to JSON.parse.
        if (expected !== undefined) expect(found).toEqual(expected);
        else expect(found?.length).not.toBe(1);
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses a number that is beyond a double, which JSON.parse reads as infinite', () => {
    expect(JSON.parse('1e999')).toBe(Number.POSITIVE_INFINITY);
    expect(() => valuesOf('{"replicas": 1e999}')).toThrow('A value is missing at "1e999}"');
  });

  it('tells the line of what is wrong, and bounds depth', () => {
    expect(() => valuesOf('{"a": 1}\n{"b":\n x}')).toThrow(expect.objectContaining({ line: 3 }));
    expect(() => valuesOf('['.repeat(300_000))).toThrow(/Nested deeper than 200/);
  });
});
