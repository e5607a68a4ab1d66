import { describe, expect, it } from '@jest/globals';
import { matchesAny, parseFilters } from './filter.ts';

interface Entry {
  readonly name: string;
  readonly other?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const CORPUS: readonly Entry[] = [
  { name: 'foo', labels: { foo: 'true' } },
  { name: 'bar' },
  { name: 'foo', labels: { foo: 'present', 'more complex label': 'present' } },
  { name: 'bar', labels: { bar: 'true' } },
  { name: 'fooer', labels: { 'more complex label with \\ and "': 'present' } },
  { name: 'fooer', labels: { 'more complex label with \\ and ".post': 'present' } },
  { name: 'baz', other: 'too complex, yo' },
  { name: 'bazo', other: 'abc' },
  { name: 'compound', labels: { foo: 'omg_asdf.asdf-qwer' } },
];

const ALL = CORPUS.map((_, index) => index);

function fieldOf(entry: Entry, path: readonly string[]): string | undefined {
  if (path[0] === 'name') return entry.name;
  if (path[0] === 'other') return entry.other;
  return path[0] === 'labels' ? entry.labels?.[path.slice(1).join('.')] : undefined;
}

function select(...filters: string[]): number[] {
  const parsed = parseFilters(filters);
  return ALL.filter((index) => matchesAny(parsed, (path) => fieldOf(CORPUS[index] ?? { name: '' }, path)));
}

describe('filters as containerd has them', () => {
  it.each<[string, number[]]>([
    ['', ALL],
    ['name', ALL],
    ['labels.foo', [0, 2, 8]],
    ['labels.foo,name', [0, 2, 8]],
    ['labels.foo==true', [0]],
    ['labels.foo==omg_asdf.asdf-qwer', [8]],
    ['name==bar', [1, 3]],
    ['name!=bar', [0, 2, 4, 5, 6, 7, 8]],
    ['name==bar,labels.bar', [3]],
    ['other=="too complex, yo"', [6]],
    ['other~=[abc]+,name!=foo', [6, 7]],
    ['other~=/[abc]+/,name!=foo', [6, 7]],
    ['other~=|[abc]+|,name!=foo', [6, 7]],
    ['other~=/[abc]{1,2}/,name!=foo', [6, 7]],
    ['other~=/[abc]{0,1}"\\//,name!=foo', []],
    ['name==bar,labels.bar==true', [3]],
    ['name==bar,labels.bar==wrong', []],
    ['name==foo,labels."more complex label"', [2]],
    ['labels."more complex label with \\\\ and \\""==present', [4]],
    ['labels."more complex label with \\\\ and \\"".post==present', [5]],
    ['  name  ==  bar', [1, 3]],
    ['name== bar', [1, 3]],
    ['unknown', []],
    ['unknown!=x', ALL],
    ['name==""', []],
    ['name=="\\x62\\141\\u0072"', [1, 3]],
    ['name~=/(/', []],
  ])('parseFilters() selects as containerd does when given %j', (filter, expected) => {
    expect(select(filter)).toEqual(expected);
  });

  it('matchesAny() takes what any of several filters selects', () => {
    expect(select('name==baz', 'labels.bar')).toEqual([3, 6]);
    expect(select()).toEqual(ALL);
  });

  it.each([
    ['labels.|foo|==omg', 'filters: parse error: [labels. >|||< foo|==omg]: invalid quote encountered'],
    ['labels.?"x".post==present', '[labels. >|?|< "x".post==present]: expected field or quoted'],
    ['name==foo,', 'expected field or quoted'],
    ['labels.', 'expected field or quoted'],
    ['image~=,id?=?fbaq', '[image~= >|,|< id?=?fbaq]: expected value or quoted'],
    ['labels.ns/key==value', '[labels.ns >|/|< key==value]: quoted literal not terminated'],
    ['labels.key==/value', '[labels.key== >|/|< value]: quoted literal not terminated'],
    ['name==|foo|', 'invalid quote encountered'],
    ['name===foo', 'unsupported operator'],
    ['name=foo', 'unsupported operator'],
    ['name=="\\q"', 'quot'],
    ['name==a b', 'unexpected input'],
    ['name ,other', 'expected an operator'],
    ['name==a ,other', 'unexpected input'],
    [`name==${'x'.repeat(9000)}`, 'at most 8192'],
  ])('parseFilters() refuses %j with its place', (filter, message) => {
    expect(() => parseFilters([filter])).toThrow(message);
    expect(() => parseFilters([filter])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('parseFilters() refuses more filters than it takes', () => {
    expect(() => parseFilters(new Array<string>(257).fill('name'))).toThrow('at most 256');
  });
});
