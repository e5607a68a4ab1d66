import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import YAML from 'yaml';
import { documentOf } from './positioned.ts';
import type { YamlDialect } from './scalars.ts';
import { readYamlText, YAML_DOCUMENT_LENGTH_MAX } from './yaml-text.ts';

function valuesOf(text: string, dialect: YamlDialect = 'kubernetes'): unknown[] {
  return [...readYamlText(text, dialect)].map((part) =>
    part.kind === 'node'
      ? documentOf(part.node, { file: 'f', document: part.document }).value
      : `broken: ${part.reason}`,
  );
}

/** What `kubectl annotate --local -o json` of kubectl 1.32 makes of `v: <text>`. */
const KUBECTL: readonly [string, unknown][] = [
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'true', 'True', 'TRUE'].map((text): [string, boolean] => [
    text,
    true,
  ]),
  ...['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF', 'false', 'FALSE'].map((text): [string, boolean] => [
    text,
    false,
  ]),
  ...['~', 'null', 'Null', 'NULL', ''].map((text): [string, null] => [text, null]),
  ['yEs', 'yEs'],
  ['012', 10],
  ['0o14', 12],
  ['0O7', 7],
  ['0o8', '0o8'],
  ['0777', 511],
  ['09', 9],
  ['08.5', 8.5],
  ['-012', -10],
  ['-012345678', -12345678],
  ['0x1F', 31],
  ['0X1f', 31],
  ['+0x1f', 31],
  ['0xG', '0xG'],
  ['0b11', 3],
  ['-0b11', -3],
  ['1_000', 1000],
  ['0_1', 1],
  ['0x_1', 1],
  ['685_230.15', 685230.15],
  ['+12', 12],
  ['-0', 0],
  ['1.', 1],
  ['.5', 0.5],
  ['+.5', 0.5],
  ['._5', '._5'],
  ['1e3', 1000],
  ['1E3', 1000],
  ['1.5e3', 1500],
  ['0.10', 0.1],
  ['1e400', '1e400'],
  ['1:30', '1:30'],
  ['190:20:30', '190:20:30'],
  ['2001-01-01', '2001-01-01'],
  ['2001-12-14t21:59:43.10-05:00', '2001-12-14t21:59:43.10-05:00'],
  ['NaN', 'NaN'],
  ['=', '='],
  ['<<', '<<'],
  ['"\\x41"', 'A'],
  ["'yes'", 'yes'],
  ['!!str 123', '123'],
  ['!!int "12"', 12],
  ['!!int "0x10"', 16],
  ['!!float 1', 1],
  ['!!bool "yes"', true],
  ['!!binary aGVsbG8=', 'hello'],
  ['!custom 12', '12'],
  ['! 12', '12'],
  ['{a: 1, a: 2}', { a: 2 }],
  ['{yes: 1, 1.50: 2, 0x10: 3, 2001-01-01: 4}', { true: 1, '1.5': 2, '16': 3, '2001-01-01': 4 }],
  ['!!set {a, b}', { a: null, b: null }],
  ['!!omap [a: 1]', [{ a: 1 }]],
];

describe('readYamlText()', () => {
  it.each(KUBECTL)('reads %s as kubectl does', (text, expected) => {
    expect(valuesOf(`v: ${text}\n`)).toEqual([{ v: expected }]);
  });

  it.each([
    ['.inf', /no such number/],
    ['.nan', /no such number/],
    ['!!int abc', /not of the type/],
    ['!!null x', /not of the type/],
    ['!!binary "!!"', /not base64/],
    ['{[a]: b}', /neither text, number nor boolean/],
    ['{~: b}', /neither text, number nor boolean/],
    ['*undefined', /Unknown anchor "undefined"/],
    ['&x [*x]', /contains itself/],
    ['{<<: 3}', /needs a map/],
    ['`foo', /Plain value cannot start/],
  ])('refuses %s as kubectl does', (text, reason) =>
    expect(valuesOf(`v: ${text}\n`)).toEqual([expect.stringMatching(reason)]),
  );

  it.each([
    ['{a: 9, <<: *b}', { a: 1, i: 'x' }, { a: 9, i: 'x' }],
    ['{<<: *b, a: 9}', { a: 9, i: 'x' }, { a: 9, i: 'x' }],
    ['{<<: [*b, {z: 1, a: 3}]}', { a: 1, i: 'x', z: 1 }, { a: 1, i: 'x', z: 1 }],
    ['{"<<": *b}', { '<<': { a: 1, i: 'x' } }, { '<<': { a: 1, i: 'x' } }],
  ])('merges %s as kubectl, or as compose', (text, kubernetes, compose) => {
    const whole = `b: &b {a: 1, i: x}\nv: ${text}\n`;
    expect(valuesOf(whole)).toEqual([expect.objectContaining({ v: kubernetes })]);
    expect(valuesOf(whole, 'compose')).toEqual([expect.objectContaining({ v: compose })]);
  });

  it('leaves words texts in compose files', () => {
    expect(valuesOf('[y, yes, on, off, true]', 'compose')).toEqual([['y', 'yes', 'on', 'off', true]]);
  });

  it('reads each document by itself and counts them', () => {
    const parts = [
      ...readYamlText('# none\n---\na: "x\n--- # two\nb: 1\n---\n---\n%bad\n...\n---\nc: 2\n', 'kubernetes'),
    ];
    expect(parts.map(({ kind, document }) => `${kind} ${document}`)).toEqual([
      'broken 1',
      'node 2',
      'broken 4',
      'node 5',
    ]);
  });

  it('bounds what a few bytes can stand for', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'.split('').map((name, at) => {
        const before = 'abcdefgh'[at];
        return `${name}: &${name} [${Array(10).fill(`*${before}`).join(',')}]`;
      }),
    ].join('\n');
    const started = performance.now();
    expect(valuesOf(bomb)).toEqual([expect.stringMatching(/more than 100000 values/)]);
    expect(valuesOf('['.repeat(50_000))).toEqual([expect.stringMatching(/nested|Nested/)]);
    expect(valuesOf('- '.repeat(5_000))).toEqual([expect.stringMatching(/nested|Nested/)]);
    expect(valuesOf(`${'['.repeat(203)}${']'.repeat(203)}`)).toEqual([expect.stringMatching(/Nested deeper than 200/)]);
    expect(valuesOf('x'.repeat(YAML_DOCUMENT_LENGTH_MAX + 1))).toEqual([expect.stringMatching(/at most 4 MiB/)]);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('never throws, whatever the text', () => {
    const piece = fc.constantFrom(
      'a: ',
      '- ',
      '\n',
      '  ',
      '---\n',
      '&x ',
      '*x',
      '"',
      "'",
      '{',
      '}',
      '[',
      ']',
      ': ',
      '|\n',
      '? ',
      '!!int ',
      '#',
      '\t',
      '...\n',
      '<<: ',
      'é',
      '%',
    );
    const likely = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(likely, fc.string()), (text) => {
        for (const part of readYamlText(text, 'kubernetes')) expect(part.document).toBeGreaterThan(0);
      }),
    );
  });

  it('gives any JSON value back as it was written, at its lines', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (any) => {
        // JSON has no -0.
        const value: unknown = JSON.parse(JSON.stringify(any));
        fc.pre(value !== null);
        const text = YAML.stringify(value, {
          version: '1.1',
          defaultStringType: 'QUOTE_DOUBLE',
          defaultKeyType: 'QUOTE_DOUBLE',
        });
        expect(valuesOf(text)).toEqual([value]);
      }),
    );
  });
});

describe('lineOf()', () => {
  const text = 'a:\n  b:\n    - c: 1\n      d: 2\n    -\n      e: [3,\n        4]\n10: x\n9: y\n__proto__: z\n';
  const [part] = readYamlText(text, 'kubernetes');
  const document = part?.kind === 'node' ? documentOf(part.node, { file: 'f', document: 1 }) : undefined;

  it.each([
    [[], 1],
    [['a'], 2],
    [['a', 'b', 0, 'd'], 4],
    [['a', 'b', 1, 'e', 1], 7],
    [['10'], 8],
    [['9'], 9],
    [['__proto__'], 10],
    [['a', 'b', 0, 'missing', 'deeper'], 3],
    [['a', 'b', 7], 3],
  ])('of %j is %i', (path, line) => expect(document?.lineOf(path)).toBe(line));
});
