/**
 * Our two entries in containerd's configuration: the proxy plugin, and the built-in content store switched off. Added and
 * taken away as text; everything else keeps every byte. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AST } from 'toml-eslint-parser';
import { type TomlEntry, parseToml } from '../../core/runtime/config-toml.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { BUILT_IN_CONTENT, PLUGIN_NAME, containerdFacts } from './containerd-facts.ts';
import {
  MARK,
  type Placed,
  type TomlText,
  appendBlock,
  eolOf,
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
  startsWith,
  tables,
} from './toml-edit.ts';

const PLUGIN_PATH = ['proxy_plugins', PLUGIN_NAME];

const NEW_FILE_HEADER = '# Written by shoal install, which found no setting here';

/** A whole configuration for a containerd that has none: `text` is empty, or nothing but comments. */
export function newContainerdConfig(text: string, address: string): string {
  const disabled = `disabled_plugins = [${quoted(BUILT_IN_CONTENT)}]  ${MARK}`;
  return appendBlock(text, [...newFileHeader(), disabled, '', ...pluginTable(address)]);
}

/** How a configuration begins for a containerd that had none; `beforeNewConfig` takes it away. */
export function newFileHeader(): string[] {
  return [NEW_FILE_HEADER, 'version = 2'];
}

/** What `newContainerdConfig` was given, from what `removePlugin` left of it; undefined when others' settings are there. */
export function beforeNewConfig(text: string, file: string): string | undefined {
  const [only, ...others] = placed(parseText(text, file));
  const block = `${NEW_FILE_HEADER}${eolOf(text)}version = 2`;
  const start = text.indexOf(block);
  if (others.length > 0 || only === undefined || start < 0) return undefined;
  const before = text.slice(0, start).replace(/\r?\n$/, '');
  const hasLastBreak = text.endsWith('\n');
  return hasLastBreak ? before : before.replace(/\r?\n$/, '');
}

/**
 * Adds what is missing of our entries; the text itself when nothing is.
 * @throws CodedError FAILED_PRECONDITION when an entry of that name is something else
 */
export function addPlugin(text: string, file: string, address: string): string {
  const added = addProxy(parseText(addDisabled(parseText(text, file)), file), address);
  assertOnlyOursDiffers(text, added, file);
  return added;
}

/**
 * Takes our entries away, wherever they have been moved to; the text itself when there are none. The built-in store stays
 * off while somebody else's takes its place.
 */
export function removePlugin(text: string, file: string): string {
  const isReplaced = containerdFacts(text, file).contentProxies.some(({ name }) => name !== PLUGIN_NAME);
  const removeOne = isReplaced ? removeProxyPart : (toml: TomlText) => removeProxyPart(toml) ?? removeDisabled(toml);
  let rest = text;
  for (let next: string | undefined = rest; next !== undefined; next = removeOne(parseText(rest, file))) rest = next;
  assertOnlyOursDiffers(text, rest, file);
  return rest;
}

function addDisabled(toml: TomlText): string {
  const { text } = toml;
  const list = placed(toml).find(({ path }) => isSamePath(path, ['disabled_plugins']))?.pair.value;
  if (list === undefined) {
    const line = `disabled_plugins = [${quoted(BUILT_IN_CONTENT)}]  ${MARK}`;
    return insertLineAfter(text, versionPair(toml).range, line);
  }
  if (list.type !== 'TOMLArray') throw wrong(toml.file, 'disabled_plugins', 'an array');
  return indexInList(list) < 0 ? insertMember(text, list, quoted(BUILT_IN_CONTENT)) : text;
}

function addProxy(toml: TomlText, address: string): string {
  const { text } = toml;
  const pairs = placed(toml).filter(({ path }) => path[0] === 'proxy_plugins');
  const ours = pairs.filter(({ path }) => startsWith(path, PLUGIN_PATH));
  if (ours.length > 0) return withAddress(toml, ours, address);
  const inline = pairs.find(({ path }) => path.length === 1)?.pair.value;
  if (inline?.type === 'TOMLInlineTable') {
    const member = `${PLUGIN_NAME} = { type = "content", address = ${quoted(address)} }`;
    return insertMember(text, inline, member);
  }
  const dotted = pairs.findLast(({ container }) => container.type === 'TOMLTopLevelTable');
  if (dotted === undefined) return appendBlock(text, pluginTable(address));
  // Each goes right below the same line, so the last one inserted comes first.
  const name = PLUGIN_PATH.join('.');
  const withLine = insertLineAfter(text, dotted.pair.range, `${name}.address = ${quoted(address)}  ${MARK}`);
  return insertLineAfter(withLine, dotted.pair.range, `${name}.type = "content"  ${MARK}`);
}

function withAddress({ text, file }: TomlText, ours: readonly Placed[], address: string): string {
  const valueAt = (key: string) => ours.find(({ path }) => isSamePath(path, [...PLUGIN_PATH, key]))?.pair.value;
  const type = valueAt('type');
  if (type?.type !== 'TOMLValue' || type.value !== 'content')
    throw wrong(file, `${PLUGIN_PATH.join('.')}.type`, '"content"');
  const found = valueAt('address');
  if (found?.type !== 'TOMLValue') throw wrong(file, `${PLUGIN_PATH.join('.')}.address`, 'a string');
  return found.value === address ? text : splice(text, found.range[0], found.range[1], quoted(address));
}

/** The text without one more piece of the proxy plugin; undefined when none is left. */
function removeProxyPart(toml: TomlText): string | undefined {
  const { text } = toml;
  const table = tables(toml).find(({ resolvedKey }) => startsWith(resolvedKey, PLUGIN_PATH));
  if (table !== undefined) return removeTable(text, table);
  const pair = placed(toml).find(({ path }) => startsWith(path, PLUGIN_PATH));
  return pair === undefined ? undefined : removePair(toml, pair);
}

function removePair(toml: TomlText, { pair, container }: Placed): string {
  if (container.type !== 'TOMLInlineTable') return removeLines(toml.text, pair.range);
  return removeMember(toml, container, container.body.indexOf(pair));
}

function removeDisabled(toml: TomlText): string | undefined {
  const pair = placed(toml).find(({ path }) => isSamePath(path, ['disabled_plugins']))?.pair;
  const list = pair?.value;
  if (pair === undefined || list?.type !== 'TOMLArray') return undefined;
  const index = indexInList(list);
  if (index < 0) return undefined;
  const isOurLine = list.elements.length === 1 && hasMark(toml.text, pair.range);
  return isOurLine ? removeLines(toml.text, pair.range) : removeMember(toml, list, index);
}

function indexInList(list: AST.TOMLArray): number {
  return list.elements.findIndex((item) => item.type === 'TOMLValue' && item.value === BUILT_IN_CONTENT);
}

function versionPair(toml: TomlText): AST.TOMLKeyValue {
  const version = placed(toml).find(({ path }) => isSamePath(path, ['version']));
  if (version === undefined) throw wrong(toml.file, 'version', '2 or 3');
  return version.pair;
}

function pluginTable(address: string): string[] {
  return [`[proxy_plugins.${PLUGIN_NAME}]  ${MARK}`, '  type = "content"', `  address = ${quoted(address)}`];
}

/** JSON's strings are TOML's basic strings for anything that can be a path. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007F');
}

/** The last line of defence before a file that a node lives by is written. */
function assertOnlyOursDiffers(before: string, after: string, file: string): void {
  if (isDeepStrictEqual(withoutOurs(before, file), withoutOurs(after, file))) return;
  throw new CodedError('INTERNAL', `Editing "${file}" would change more than the plugin; nothing was written`);
}

function withoutOurs(text: string, file: string): unknown {
  const tree = plain(parseToml(text, file));
  const {
    disabled_plugins: disabled,
    proxy_plugins: proxies,
    ...rest
  } = Object.fromEntries(Object.entries(tree ?? {}));
  const { [PLUGIN_NAME]: _ours, ...others } = Object.fromEntries(Object.entries(proxies ?? {}));
  return {
    rest,
    others,
    disabled: Array.isArray(disabled) ? disabled.filter((item) => item !== BUILT_IN_CONTENT) : [],
  };
}

function plain(entry: TomlEntry): unknown {
  if (entry.kind === 'array') return entry.items.map(plain);
  if (entry.kind === 'table') return Object.fromEntries([...entry.entries].map(([key, value]) => [key, plain(value)]));
  return entry.value;
}

function wrong(file: string, key: string, wanted: string): CodedError {
  return new CodedError('FAILED_PRECONDITION', `"${file}": ${key} is not ${wanted}; mend it first`);
}
