// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of configuration files
import { describe, expect, it } from '@jest/globals';
import { readConfig } from './config.ts';
import {
  choice,
  flag,
  integer,
  list,
  optional,
  parsed,
  required,
  section,
  sections,
  share,
  text,
} from './config-schema.ts';
import { codeOf, messageOf } from './errors.ts';
import { parseDuration } from './units.ts';

const SHAPE = {
  name: text('name', 'nobody'),
  waitMs: parsed('wait', '60s', parseDuration),
  limit: optional('limit', '', Number),
  mode: choice('mode', ['on', 'off'], 'off'),
  isLoud: flag('loud', false),
  count: integer('count', 3, { min: 1, max: 9 }),
  mark: share('mark', 0.5),
  tags: list('tags', (tag) => tag.toUpperCase(), { max: 3 }),
  inner: section('inner', { deep: section('deep', { value: text('value', 'v') }) }),
  items: sections(
    'item',
    { host: required('host', 'none', (host) => host), port: integer('port', 1, { min: 0, max: 2 }) },
    { max: 2 },
  ),
};

function read(source: string, env: Record<string, string> = {}) {
  return readConfig(SHAPE, { text: source, file: 'c.toml', env });
}

function problemsOf(source: string, env: Record<string, string> = {}): string[] {
  try {
    read(source, env);
    return [];
  } catch (error) {
    expect(codeOf(error)).toBe('INVALID_ARGUMENT');
    return messageOf(error).split('\n');
  }
}

describe('readConfig()', () => {
  it('gives every default for an empty file, frozen', () => {
    const config = read('');
    expect(config).toEqual({
      name: 'nobody',
      waitMs: 60_000,
      limit: undefined,
      mode: 'off',
      isLoud: false,
      count: 3,
      mark: 0.5,
      tags: [],
      inner: { deep: { value: 'v' } },
      items: [],
    });
    expect([config, config.inner.deep, config.tags].every(Object.isFrozen)).toBe(true);
  });

  it('reads every way that TOML writes a table', () => {
    expect(read('[inner.deep]\nvalue = "x"').inner.deep.value).toBe('x');
    expect(read('inner.deep.value = "x"').inner.deep.value).toBe('x');
    expect(read('[inner]\ndeep = { value = "x" }').inner.deep.value).toBe('x');
    expect(read('[[item]]\nhost = "a"\n[[item]]\nhost = "b"\nport = 2').items).toEqual([
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ]);
    expect(read('item = [{ host = "a" }]').items).toEqual([{ host: 'a', port: 1 }]);
  });

  it('lists everything that is wrong at once, by line', () => {
    const source = [
      'nam = "x"',
      'wait = "soon"',
      'loud = "yes"',
      'count = 10',
      'mark = 0',
      'tags = ["a", 7]',
      'mode = "maybe"',
      '[inner]',
      'deep = 5',
      '[[item]]',
      'port = 2',
      '[[item]]',
      'host = "b"',
      '"odd key" = 1',
    ].join('\n');
    expect(problemsOf(source)).toEqual([
      'c.toml:1: nam: Unknown key; known here are name, wait, limit, mode, loud, count, mark, tags, inner, item',
      'c.toml:2: wait: "soon" is not a duration such as "60s", "5m" or "1h30m"',
      'c.toml:3: loud: "yes" is not true or false',
      'c.toml:4: count: 10 is not a whole number from 1 to 9',
      'c.toml:5: mark: 0 is not a number above 0 and up to 1',
      'c.toml:6: tags[1]: 7 is not a string',
      'c.toml:7: mode: "maybe" is not one of on, off',
      'c.toml:9: inner.deep: 5 is not a table, [inner.deep]',
      'c.toml:10: item[0].host: The key is missing, and it has no default',
      'c.toml:14: item[1]."odd key": Unknown key; known here are host, port',
    ]);
  });

  it.each([
    ['a = 1\nb =\nc = 2\n', 2],
    ['a = 1\r\nb =\r\n', 2],
    ['a = 1\n[b\nc = 2\n', 2],
    ['a = 1\nb\nc = 1\n', 2],
    ['a = 1\nb = "x\n', 2],
    ['a = 1\n= 2\n', 2],
    ['a = 1\na = 2\n', 2],
    ['a = tru\n', 1],
  ])('names the line of what is no TOML: %j', (source, line) => {
    expect(problemsOf(source)[0]).toMatch(new RegExp(`^c\\.toml:${line}: not TOML: `));
  });

  it('names that mean something to JavaScript are unknown keys like others', () => {
    expect(problemsOf('__proto__ = 1\nconstructor.x = 1')).toHaveLength(2);
  });

  it('bounds lists and the file', () => {
    expect(problemsOf('tags = ["a", "b", "c", "d"]')).toEqual(['c.toml:1: tags: 4 entries, at most 3 are read']);
    expect(problemsOf(`#${'x'.repeat(2 ** 20)}`)[0]).toMatch(/at most 1048576 are read/);
    expect(problemsOf(Array.from({ length: 80 }, (_, index) => `k${index} = 1`).join('\n'))).toHaveLength(51);
  });

  it('expands the environment, and only that', () => {
    const env = { WHO: 'world', EMPTY: '' };
    expect(read('name = "hello ${WHO}${EMPTY}!"', env).name).toBe('hello world!');
    expect(read("name = 'hello ${WHO}'", env).name).toBe('hello world');
    expect(read('name = "$WHO $${WHO} $5"', env).name).toBe('$WHO ${WHO} $5');
    expect(read('tags = ["${WHO}"]', env).tags).toEqual(['WORLD']);
  });

  it('names a variable that is not set', () => {
    expect(problemsOf('\nname = "${NOBODY}"')).toEqual([
      'c.toml:2: name: "${NOBODY}" names the environment variable "NOBODY", which is not set',
    ]);
  });

  it('shows conflicts at the key that is in the file, unless that is wrong already', () => {
    const conflicts = () => [{ keys: ['count', 'mark'], message: 'count and mark do not go together' }];
    const readWith = (source: string) => () => readConfig(SHAPE, { text: source, file: 'c.toml', env: {} }, conflicts);
    expect(readWith('\nmark = 0.1')).toThrow('c.toml:2: mark: count and mark do not go together');
    expect(readWith('')).toThrow('c.toml: count: count and mark');
    expect(readWith('count = 0')).toThrow(/^c\.toml:1: count: 0 is not a whole number from 1 to 9$/);
  });
});
