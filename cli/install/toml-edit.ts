/**
 * Edits of TOML text that leave every other byte as it was. All are insertions or removals at places that the syntax tree
 * names, so comments, order and spacing survive. Pure.
 */
import type { AST } from 'toml-eslint-parser';
import { keyNames, parseTomlSyntax } from '../../core/runtime/config-toml.ts';
import { CodedError } from '../../core/runtime/errors.ts';

/** What a line of ours ends with, so that it can be found and taken away again. */
export const MARK = '# added by shoal install';

export interface TomlText {
  readonly text: string;
  /** How messages name it. */
  readonly file: string;
  readonly ast: AST.TOMLProgram;
}

/** One `key = value` with its whole path, wherever it stands. */
export interface Placed {
  readonly path: readonly string[];
  readonly pair: AST.TOMLKeyValue;
  readonly container: AST.TOMLTopLevelTable | AST.TOMLTable | AST.TOMLInlineTable;
}

/** @throws CodedError INVALID_ARGUMENT naming file and line when `text` is not TOML */
export function parseText(text: string, file: string): TomlText {
  return { text, file, ast: parseTomlSyntax(text, file) };
}

/** Every pair, outer before inner, in the order of the file. */
export function placed({ ast }: TomlText): Placed[] {
  const top = ast.body[0];
  return top.body.flatMap((item) =>
    item.type === 'TOMLTable'
      ? item.body.flatMap((pair) => placedIn(pair, item, item.resolvedKey.map(String)))
      : placedIn(item, top, []),
  );
}

export function tables({ ast }: TomlText): AST.TOMLTable[] {
  return ast.body[0].body.filter((item) => item.type === 'TOMLTable');
}

export function startsWith(path: readonly (string | number)[], start: readonly string[]): boolean {
  return start.every((name, index) => path[index] === name);
}

export function isSamePath(a: readonly (string | number)[], b: readonly string[]): boolean {
  return a.length === b.length && startsWith(a, b);
}

/** `text` with `[start, end)` replaced. */
export function splice(text: string, start: number, end: number, insert = ''): string {
  return text.slice(0, start) + insert + text.slice(end);
}

/** The line break that the file uses. */
export function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** `[start, end)` of the lines that hold `range`, with their last line break. */
export function linesAround(text: string, [from, to]: readonly [number, number]): { start: number; end: number } {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const lineBreak = text.indexOf('\n', to);
  return { start, end: lineBreak < 0 ? text.length : lineBreak + 1 };
}

/** A line after the one that ends at or behind `position`, indented like the one that `range` begins on. */
export function insertLineAfter(text: string, range: readonly [number, number], line: string): string {
  const { start, end } = linesAround(text, range);
  const indent = /^[ \t]*/.exec(text.slice(start))?.[0] ?? '';
  const hasBreak = text.charAt(end - 1) === '\n';
  const eol = eolOf(text);
  return splice(text, end, end, hasBreak ? indent + line + eol : eol + indent + line);
}

/** Takes whole lines away; of a last line without a line break, the break before it. */
export function removeLines(text: string, range: readonly [number, number]): string {
  const { start, end } = linesAround(text, range);
  if (text.charAt(end - 1) === '\n') return splice(text, start, end);
  return splice(text, start - (/\r?\n$/.exec(text.slice(0, start))?.[0].length ?? 0), end);
}

/** A block at the end, after an empty line; a file without a last line break goes on without one. */
export function appendBlock(text: string, lines: readonly string[]): string {
  const eol = eolOf(text);
  const block = lines.join(eol);
  if (text === '') return block + eol;
  return text.endsWith('\n') ? text + eol + block + eol : text + eol + eol + block;
}

/** Takes a table away, with the empty line that `appendBlock` put before it when the header carries our mark. */
export function removeTable(text: string, table: AST.TOMLTable): string {
  const { start, end } = linesAround(text, table.range);
  const isMarked = hasMark(text, table.key.range);
  const gap = isMarked ? (/(?<=^|\n)\r?\n$/.exec(text.slice(0, start))?.[0].length ?? 0) : 0;
  if (text.charAt(end - 1) === '\n') return splice(text, start - gap, end);
  const before = /\r?\n$/.exec(text.slice(0, start - gap))?.[0].length ?? 0;
  return splice(text, start - gap - before, end);
}

/** True when the line that `range` begins on ends with our mark. */
export function hasMark(text: string, range: readonly [number, number]): boolean {
  const { start } = linesAround(text, range);
  return text.slice(start).split(/\r?\n/, 1)[0]?.trimEnd().endsWith(MARK) ?? false;
}

type Members = AST.TOMLArray | AST.TOMLInlineTable;

/** Puts a member first into an array or inline table, on a line of its own where the first one has that. */
export function insertMember(text: string, container: Members, member: string): string {
  const first = membersOf(container)[0];
  if (first === undefined) return splice(text, container.range[0] + 1, container.range[0] + 1, member);
  const [at] = first.range;
  const { start } = linesAround(text, first.range);
  const before = text.slice(start, at);
  const separator = /^[ \t]+$/.test(before) ? `,${eolOf(text)}${before}` : ', ';
  return splice(text, at, at, member + separator);
}

/** Takes a member away with the comma that belongs to it; the exact reverse of `insertMember`. */
export function removeMember({ text, ast }: TomlText, container: Members, index: number): string {
  const members = membersOf(container);
  const member = members[index];
  if (member === undefined) throw new CodedError('INTERNAL', `Removing member ${index} of ${members.length}`);
  const [start, end] = member.range;
  const after = ast.tokens.find((token) => token.range[0] >= end);
  if (after?.value === ',') {
    const gap = /^\s*(?=[^\s#\]}])/.exec(text.slice(after.range[1]))?.[0].length ?? 0;
    return splice(text, start, after.range[1] + gap);
  }
  const before = ast.tokens.findLast((token) => token.range[1] <= start);
  if (before?.value !== ',') return splice(text, start, end);
  const isAlone = text.slice(before.range[1], start).trim() === '';
  const rest = splice(text, isAlone ? before.range[1] : start, end);
  return splice(rest, before.range[0], before.range[1]);
}

function membersOf(container: Members): readonly (AST.TOMLContentNode | AST.TOMLKeyValue)[] {
  return container.type === 'TOMLArray' ? container.elements : container.body;
}

function placedIn(pair: AST.TOMLKeyValue, container: Placed['container'], above: readonly string[]): Placed[] {
  const path = [...above, ...keyNames(pair.key)];
  const { value } = pair;
  const inner = value.type === 'TOMLInlineTable' ? value.body.flatMap((item) => placedIn(item, value, path)) : [];
  return [{ path, pair, container }, ...inner];
}
