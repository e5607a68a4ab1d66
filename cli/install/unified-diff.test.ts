import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unifiedDiff } from './unified-diff.ts';

/** Applies hunks as patch(1) does, strictly. */
function patch(before: string, diff: string): string {
  const old = before === '' ? [] : before.split(/(?<=\n)/);
  const out: string[] = [];
  let at = 0;
  const body = diff.split('\n').slice(2, -1);
  for (const [index, line] of body.entries()) {
    const start = /^@@ -(\d+)(?:,(\d+))? /.exec(line);
    if (start !== null) {
      const from = start[2] === '0' ? Number(start[1]) : Number(start[1]) - 1;
      out.push(...old.slice(at, from));
      at = from;
      continue;
    }
    if (line.startsWith('\\')) continue;
    const text = line.slice(1) + (body[index + 1]?.startsWith('\\') ? '' : '\n');
    if (line[0] !== '+') expect(old[at++]).toBe(text);
    if (line[0] !== '-') out.push(text);
  }
  return [...out, ...old.slice(at)].join('');
}

describe('unifiedDiff()', () => {
  it('shows a change with three lines around it', () => {
    const before = '1\n2\n3\n4\n5\n6\n7\n8\n9\n';
    expect(unifiedDiff('f', before, before.replace('5', 'five'))).toBe(
      ['--- f', '+++ f', '@@ -2,7 +2,7 @@', ' 2', ' 3', ' 4', '-5', '+five', ' 6', ' 7', ' 8', ''].join('\n'),
    );
  });

  it('shows new, gone and equal files', () => {
    expect(unifiedDiff('f', undefined, 'a\n')).toBe('--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n');
    expect(unifiedDiff('f', 'a', undefined)).toBe(
      '--- f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\\ No newline at end of file\n',
    );
    expect(unifiedDiff('f', 'a', 'a')).toBe('');
  });

  it('applied to the one text gives the other', () => {
    const text = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', 'c', 'd', ''), { maxLength: 30 }), fc.boolean())
      .map(([lines, isEnded]) =>
        lines
          .map((line) => `${line}\n`)
          .join('')
          .slice(0, isEnded ? undefined : -1),
      );
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after);
        expect(patch(before, unifiedDiff('f', before, after))).toBe(after);
      }),
      { numRuns: 500 },
    );
  });
});
