/**
 * TOML text as a tree whose every entry knows its line. Knows nothing of what the keys mean.
 */
import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import { CodedError, messageOf } from './errors.ts';

/** A configuration beyond this is a mistake (a wrong file named), not a configuration. */
export const CONFIG_BYTES_MAX = 1 << 20;

export type TomlEntry = { readonly line: number } & (
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'integer' | 'float'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'date'; readonly value: Date }
  | { readonly kind: 'array'; readonly items: TomlEntry[] }
  | TomlTable
);

export interface TomlTable {
  readonly kind: 'table';
  readonly line: number;
  readonly entries: Map<string, TomlEntry>;
}

/**
 * Parses TOML 1.0 text.
 * @throws CodedError INVALID_ARGUMENT naming file and line, for text that is not TOML or larger than `CONFIG_BYTES_MAX`
 */
export function parseToml(text: string, file: string): TomlTable {
  const root = newTable(1);
  for (const item of parseTomlSyntax(text, file).body[0].body) {
    if (item.type === 'TOMLKeyValue') setPair(root, item);
    else {
      const table = tableAt(root, item.resolvedKey, item.loc.start.line);
      for (const pair of item.body) setPair(table, pair);
    }
  }
  return root;
}

/**
 * The syntax tree itself, with ranges, for editing text in place.
 * @throws CodedError INVALID_ARGUMENT as `parseToml`
 */
export function parseTomlSyntax(text: string, file: string): AST.TOMLProgram {
  if (text.length > CONFIG_BYTES_MAX) {
    throw new CodedError(
      'INVALID_ARGUMENT',
      `${file}: ${text.length} characters, at most ${CONFIG_BYTES_MAX} are read`,
    );
  }
  try {
    return parseTOML(text, { tomlVersion: '1.0' });
  } catch (error) {
    const line = error instanceof ParseError ? `:${lineOfError(text, error)}` : '';
    throw new CodedError('INVALID_ARGUMENT', `${file}${line}: not TOML: ${messageOf(error)}`, { cause: error });
  }
}

/** The parser notices a line without its value at the start of the next one; people look for it where it is. */
function lineOfError(text: string, { lineNumber, column }: ParseError): number {
  if (column !== 0 || lineNumber < 2) return lineNumber;
  const before = text.split(/\r?\n/)[lineNumber - 2]?.trim() ?? '';
  const isUnfinished = before.endsWith('=') || /^(\[[^\]]*|[^=#[\]]+)$/.test(before);
  return isUnfinished ? lineNumber - 1 : lineNumber;
}

/** The names of a key: `a."b.c"` is `['a', 'b.c']`. */
export function keyNames(key: AST.TOMLKey): string[] {
  return key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value));
}

function newTable(line: number): TomlTable {
  return { kind: 'table', line, entries: new Map() };
}

function setPair(table: TomlTable, pair: AST.TOMLKeyValue): void {
  const line = pair.loc.start.line;
  const names = keyNames(pair.key);
  const last = names.pop() ?? '';
  tableAt(table, names, line).entries.set(last, entryOf(pair.value, line));
}

/** The table at a path of names and array positions, made where it is not there yet. */
function tableAt(root: TomlTable, path: readonly (string | number)[], line: number): TomlTable {
  let at: TomlEntry = root;
  path.forEach((step, index) => {
    at = child(at, step, typeof path[index + 1] === 'number', line);
  });
  if (at.kind !== 'table') throw new CodedError('INTERNAL', `Reading ${path.join('.')}: not a table`);
  return at;
}

function child(at: TomlEntry, step: string | number, isArray: boolean, line: number): TomlEntry {
  const fresh = (): TomlEntry => (isArray ? { kind: 'array', line, items: [] } : newTable(line));
  if (at.kind === 'array' && typeof step === 'number') {
    const found = at.items[step] ?? fresh();
    at.items[step] = found;
    return found;
  }
  if (at.kind !== 'table') throw new CodedError('INTERNAL', `Reading ${step}: not a table`);
  const found = at.entries.get(String(step)) ?? fresh();
  at.entries.set(String(step), found);
  return found;
}

function entryOf(node: AST.TOMLContentNode, line: number): TomlEntry {
  switch (node.type) {
    case 'TOMLArray':
      return { kind: 'array', line, items: node.elements.map((item) => entryOf(item, item.loc.start.line)) };
    case 'TOMLInlineTable': {
      const table = newTable(line);
      for (const pair of node.body) setPair(table, pair);
      return table;
    }
    case 'TOMLValue':
      return scalarOf(node, line);
  }
}

function scalarOf(node: AST.TOMLValue, line: number): TomlEntry {
  switch (node.kind) {
    case 'string':
      return { kind: 'string', line, value: node.value };
    case 'integer':
    case 'float':
      return { kind: node.kind, line, value: node.value };
    case 'boolean':
      return { kind: 'boolean', line, value: node.value };
    default:
      return { kind: 'date', line, value: node.value };
  }
}
