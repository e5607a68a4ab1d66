/** The difference of two texts as `diff -u` prints it. Pure. */

const CONTEXT_LINES = 3;
/** Comparing more pairs of lines than this is not worth its time: the whole middle is shown as replaced. */
const PAIRS_MAX = 4_000_000;

interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** "" when both are the same. `undefined` is a file that is not there. */
export function unifiedDiff(file: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return '';
  const lines = compare(linesOf(before), linesOf(after));
  const head = [`--- ${before === undefined ? '/dev/null' : file}`, `+++ ${after === undefined ? '/dev/null' : file}`];
  return `${[...head, ...hunks(lines)].join('\n')}\n`;
}

/** Lines with what ends them; a carriage return stays in the line. */
function linesOf(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(/(?<=\n)/);
}

function compare(before: readonly string[], after: readonly string[]): Line[] {
  const shortest = Math.min(before.length, after.length);
  let start = 0;
  while (start < shortest && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shortest - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return [
    ...before.slice(0, start).map((text): Line => ({ sign: ' ', text })),
    ...compareMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map((text): Line => ({ sign: ' ', text })),
  ];
}

/** By the longest common subsequence. */
function compareMiddle(before: readonly string[], after: readonly string[]): Line[] {
  const width = after.length + 1;
  const isTooLarge = before.length * after.length > PAIRS_MAX;
  const common = new Uint32Array(isTooLarge ? 0 : (before.length + 1) * width);
  const at = (row: number, column: number) => common[row * width + column] ?? 0;
  for (let row = isTooLarge ? -1 : before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  return walk(
    before,
    after,
    isTooLarge ? () => false : (row, column) => at(row, column) === at(row + 1, column + 1) + 1,
  );
}

function walk(
  before: readonly string[],
  after: readonly string[],
  isBetterTogether: (row: number, column: number) => boolean,
): Line[] {
  const removed = (row: number): Line => ({ sign: '-', text: before[row] ?? '' });
  const added = (column: number): Line => ({ sign: '+', text: after[column] ?? '' });
  const lines: Line[] = [];
  let row = 0;
  for (let column = 0; column < after.length; column += 1) {
    const match = nextMatch(before, after, { row, column }, isBetterTogether);
    if (match === undefined) {
      lines.push(added(column));
      continue;
    }
    for (; row < match; row += 1) lines.push(removed(row));
    lines.push({ sign: ' ', text: before[row] ?? '' });
    row += 1;
  }
  const rest = Array.from({ length: before.length - row }, (_, index) => removed(row + index));
  // Removed lines stand before the added ones that take their place.
  const lastCommon = lines.findLastIndex(({ sign }) => sign === ' ') + 1;
  return [...lines.slice(0, lastCommon), ...rest, ...lines.slice(lastCommon)];
}

/** The line of `before` that stays together with `after[column]`. */
function nextMatch(
  before: readonly string[],
  after: readonly string[],
  from: { row: number; column: number },
  isBetterTogether: (row: number, column: number) => boolean,
): number | undefined {
  for (let row = from.row; row < before.length; row += 1) {
    if (before[row] === after[from.column] && isBetterTogether(row, from.column)) return row;
  }
  return undefined;
}

function hunks(lines: readonly Line[]): string[] {
  const shown = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some(({ sign }) => sign !== ' '),
  );
  const text: string[] = [];
  let oldLine = 1;
  let newLine = 1;
  for (let index = 0; index < lines.length; ) {
    const end = shown[index] ? shown.findIndex((isShown, at) => at > index && !isShown) : index + 1;
    const part = lines.slice(index, end < 0 ? lines.length : end);
    const oldCount = part.filter(({ sign }) => sign !== '+').length;
    const newCount = part.filter(({ sign }) => sign !== '-').length;
    if (shown[index])
      text.push(`@@ -${range(oldLine, oldCount)} +${range(newLine, newCount)} @@`, ...part.flatMap(lineText));
    oldLine += oldCount;
    newLine += newCount;
    index += part.length;
  }
  return text;
}

function range(line: number, count: number): string {
  return count === 1 ? `${line}` : `${count === 0 ? line - 1 : line},${count}`;
}

function lineText({ sign, text }: Line): string[] {
  return text.endsWith('\n') ? [sign + text.slice(0, -1)] : [sign + text, '\\ No newline at end of file'];
}
