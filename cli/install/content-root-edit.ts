/**
 * `content.root` in our own configuration: set to containerd's directory while the plugin is installed, and put back to
 * what it was. Pure.
 */
import { CodedError } from '../../core/runtime/errors.ts';
import {
  MARK,
  type Placed,
  type TomlText,
  appendBlock,
  hasMark,
  insertLineAfter,
  insertMember,
  isSamePath,
  parseText,
  placed,
  removeLines,
  removeMember,
  removeTable,
  splice,
  tables,
} from './toml-edit.ts';

const ROOT_PATH = ['content', 'root'];
const NEW_FILE_HEADER = '# Written by shoal install; every key that is not here has its default';
/** Remembers a value that was replaced. */
const WAS = / {2}# was (".*"|'.*') before shoal install/;

export function newShoalConfig(root: string): string {
  return `${[NEW_FILE_HEADER, '', ...rootTable(root)].join('\n')}\n`;
}

/** True when nothing but our header is left. */
export function isOnlyHeader(text: string): boolean {
  return text.trim() === NEW_FILE_HEADER;
}

/**
 * The text with `content.root` set; itself when it says so already.
 * @throws CodedError INVALID_ARGUMENT when it is not TOML, FAILED_PRECONDITION when the present value cannot be edited
 */
export function setContentRoot(text: string, file: string, root: string): string {
  const toml = parseText(text, file);
  const found = rootPair(toml);
  return found === undefined ? addRoot(toml, root) : replaceRoot(toml, found, root);
}

/** The text with `content.root` as it was before `setContentRoot(…, root)`; itself when that never happened. */
export function unsetContentRoot(text: string, file: string, root: string): string {
  const toml = parseText(text, file);
  const found = rootPair(toml);
  if (found === undefined) return text;
  const [start, end] = found.pair.value.range;
  const was = WAS.exec(text.slice(end).split(/\r?\n/, 1)[0] ?? '');
  if (was?.index === 0) return splice(text, start, end + was[0].length, was[1]);
  return removeAdded(toml, found, root);
}

function addRoot(toml: TomlText, root: string): string {
  const { text } = toml;
  const pair = `root = ${JSON.stringify(root)}`;
  const table = tables(toml).find(({ resolvedKey }) => isSamePath(resolvedKey, ['content']));
  if (table !== undefined) {
    const first = table.body[0];
    const indent = first === undefined ? '' : ' '.repeat(first.loc.start.column - table.loc.start.column);
    return insertLineAfter(text, table.key.range, `${indent}${pair}  ${MARK}`);
  }
  const pairs = placed(toml).filter(({ path }) => path[0] === 'content');
  const inline = pairs.find(({ path }) => path.length === 1)?.pair.value;
  if (inline?.type === 'TOMLInlineTable') return insertMember(text, inline, pair);
  const dotted = pairs.at(-1);
  if (dotted !== undefined) return insertLineAfter(text, dotted.pair.range, `content.${pair}  ${MARK}`);
  return appendBlock(text, rootTable(root));
}

function replaceRoot({ text, file }: TomlText, { pair, container }: Placed, root: string): string {
  const { value } = pair;
  if (value.type === 'TOMLValue' && value.value === root) return text;
  const [start, end] = value.range;
  const raw = text.slice(start, end);
  const wasAlready = WAS.exec(text.slice(end).split(/\r?\n/, 1)[0] ?? '')?.index === 0;
  if (wasAlready || isOurs(text, pair, container)) return splice(text, start, end, JSON.stringify(root));
  if (value.type !== 'TOMLValue' || value.kind !== 'string' || raw.includes('\n')) {
    throw new CodedError(
      'FAILED_PRECONDITION',
      `"${file}": content.root is not a string on one line; set it to "${root}"`,
    );
  }
  // A comment would swallow what follows in its line.
  if (container.type === 'TOMLInlineTable') {
    throw new CodedError(
      'FAILED_PRECONDITION',
      `"${file}": content.root stands in an inline table; set it to "${root}"`,
    );
  }
  return splice(text, start, end, `${JSON.stringify(root)}  # was ${raw} before shoal install`);
}

function removeAdded(toml: TomlText, { pair, container }: Placed, root: string): string {
  const { text } = toml;
  if (container.type === 'TOMLInlineTable') {
    const isOurs = pair.value.type === 'TOMLValue' && pair.value.value === root;
    return isOurs ? removeMember(toml, container, container.body.indexOf(pair)) : text;
  }
  if (!isOurs(text, pair, container)) return text;
  const isOurTable = container.type === 'TOMLTable' && hasMark(text, container.key.range);
  return isOurTable && container.body.length === 1 ? removeTable(text, container) : removeLines(text, pair.range);
}

/** True for a pair that we added: its line or its table's header carries our mark. */
function isOurs(text: string, pair: Placed['pair'], container: Placed['container']): boolean {
  return hasMark(text, pair.range) || (container.type === 'TOMLTable' && hasMark(text, container.key.range));
}

function rootPair(toml: TomlText): Placed | undefined {
  return placed(toml).find(({ path }) => isSamePath(path, ROOT_PATH));
}

function rootTable(root: string): string[] {
  return [`[content]  ${MARK}`, `root = ${JSON.stringify(root)}`];
}
