/**
 * `config_path` in containerd's configuration, the directory where CRI looks for hosts.toml files: set where it is not, and taken
 * back. Every other byte stays as it was. Pure.
 */
import { type TomlEntry, parseToml } from '../../core/runtime/config-toml.ts';
import { containerdFacts } from './containerd-facts.ts';
import { newFileHeader } from './plugin-edit.ts';
import {
  MARK,
  type Placed,
  appendBlock,
  hasMark,
  insertLineAfter,
  isSamePath,
  parseText,
  placed,
  removeLines,
  removeTable,
  splice,
  tables,
} from './toml-edit.ts';

/** Version 2 of the file is read by containerd 1.x and 2.x, version 3 by 2.x alone. */
const CRI_OF_VERSION: ReadonlyMap<number, string> = new Map([
  [2, 'io.containerd.grpc.v1.cri'],
  [3, 'io.containerd.cri.v1.images'],
]);
const KEY = 'config_path';
/** Remembers that the key was there, empty. */
const WAS_EMPTY = / {2}# was (""|'') before shoal install/;

/** The new text, or why there is none. */
export type HostsConfigEdit =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * @param text of containerd's configuration; empty when it has none
 * @throws CodedError INVALID_ARGUMENT when it is not TOML
 */
export function setHostsDirectory(text: string, file: string, directory: string): HostsConfigEdit {
  const facts = containerdFacts(text, file);
  if (facts.isEmpty) return { kind: 'text', text: appendBlock(text, [...newFileHeader(), '', ...table(2, directory)]) };
  const cri = CRI_OF_VERSION.get(facts.version ?? 1);
  if (cri === undefined) return refused(`it is of version ${facts.version ?? 1}, and only 2 and 3 are changed here`);
  const path = ['plugins', cri, 'registry'];
  const old = oldFormIn(entryAt(parseToml(text, file), path));
  if (old !== undefined) {
    return refused(`its registry section has ${old}, which containerd does not take together with config_path`);
  }
  const edited = edit(text, file, { path, version: facts.version ?? 2, directory });
  return edited === undefined ? refused('its registry section has a form that nothing can be added to') : edited;
}

/** The text as it was before `setHostsDirectory`; itself when that never happened. */
export function unsetHostsDirectory(text: string, file: string): string {
  const toml = parseText(text, file);
  for (const cri of CRI_OF_VERSION.values()) {
    const path = ['plugins', cri, 'registry', KEY];
    const found = placed(toml).find((pair) => isSamePath(pair.path, path));
    if (found === undefined) continue;
    const [start, end] = found.pair.value.range;
    const was = WAS_EMPTY.exec(text.slice(end).split(/\r?\n/, 1)[0] ?? '');
    if (was?.index === 0) return splice(text, start, end + was[0].length, was[1]);
    if (!hasMark(text, found.pair.range)) continue;
    const { container } = found;
    const isOurTable = container.type === 'TOMLTable' && hasMark(text, container.key.range);
    return isOurTable && container.body.length === 1
      ? removeTable(text, container)
      : removeLines(text, found.pair.range);
  }
  return text;
}

interface Wanted {
  readonly path: readonly string[];
  readonly version: number;
  readonly directory: string;
}

/** containerd docs/cri/registry.md: `mirrors` and `configs.….tls` exclude `config_path`; empty tables of them do not. */
function oldFormIn(registry: TomlEntry | undefined): string | undefined {
  const mirrors = entryAt(registry, ['mirrors']);
  if (mirrors?.kind === 'table' && mirrors.entries.size > 0) return 'mirrors';
  const configs = entryAt(registry, ['configs']);
  const hosts = configs?.kind === 'table' ? [...configs.entries.values()] : [];
  return hosts.some((host) => entryAt(host, ['tls']) !== undefined) ? 'configs with tls' : undefined;
}

function entryAt(entry: TomlEntry | undefined, path: readonly string[]): TomlEntry | undefined {
  return path.reduce<TomlEntry | undefined>(
    (found, name) => (found?.kind === 'table' ? found.entries.get(name) : undefined),
    entry,
  );
}

function edit(text: string, file: string, { path, version, directory }: Wanted): HostsConfigEdit | undefined {
  const toml = parseText(text, file);
  const found = placed(toml).find((pair) => isSamePath(pair.path, [...path, KEY]));
  if (found !== undefined) return replaceEmpty(text, found, directory);
  const own = tables(toml).find(({ resolvedKey }) => isSamePath(resolvedKey, path));
  if (own !== undefined) return whole(insertLineAfter(text, own.key.range, line(directory)), file);
  return whole(appendBlock(text, table(version, directory)), file);
}

function replaceEmpty(text: string, { pair }: Placed, directory: string): HostsConfigEdit | undefined {
  const [start, end] = pair.value.range;
  const was = text.slice(start, end);
  const rest = text.slice(end).split(/\r?\n/, 1)[0] ?? '';
  // Behind a comment, or inside an inline table, there is no place to remember what was there.
  if (!/^(""|'')$/.test(was) || rest.trim() !== '') return undefined;
  return {
    kind: 'text',
    text: splice(text, start, end, `${JSON.stringify(directory)}  # was ${was} before shoal install`),
  };
}

/** Undefined when `registry` stands elsewhere in a form that a table of its own contradicts. */
function whole(text: string, file: string): HostsConfigEdit | undefined {
  try {
    parseToml(text, file);
    return { kind: 'text', text };
  } catch {
    return undefined;
  }
}

function table(version: number, directory: string): string[] {
  return [`[plugins.${JSON.stringify(CRI_OF_VERSION.get(version))}.registry]  ${MARK}`, `  ${line(directory)}`];
}

function line(directory: string): string {
  return `${KEY} = ${JSON.stringify(directory)}  ${MARK}`;
}

function refused(reason: string): HostsConfigEdit {
  return { kind: 'refused', reason };
}
