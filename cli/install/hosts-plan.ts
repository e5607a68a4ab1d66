/**
 * containerd's hosts.toml files (containerd docs/hosts.md): the mirror for every registry in `_default`, and in each file of a
 * registry's own, which `_default` does not reach. What is there already is tried first. Pure.
 */
import { join } from 'node:path';
import { type TomlEntry, parseToml } from '../../core/runtime/config-toml.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { FileChange } from './file-changes.ts';
import { MARK, appendBlock, hasMark, parseText, removeTable, tables } from './toml-edit.ts';

export interface HostsFile {
  readonly file: string;
  /** undefined = there is none. */
  readonly text: string | undefined;
}

/** The file for registries that have none of their own. */
export function defaultHostsFile(directory: string): string {
  return join(directory, '_default', 'hosts.toml');
}

/** @throws CodedError FAILED_PRECONDITION for a file that cannot be added to */
export function planHosts(files: readonly HostsFile[], url: string): FileChange[] {
  return files.flatMap(({ file, text }) => changed({ file, text }, withMirror(text ?? '', file, url)));
}

/** Takes our tables away, and files in which nothing else is left. */
export function planNoHosts(files: readonly HostsFile[]): FileChange[] {
  return files.flatMap(({ file, text }) => {
    if (text === undefined) return [];
    const rest = withoutMirror(text, file);
    return changed({ file, text }, rest.trim() === '' ? undefined : rest);
  });
}

/** Where CRI looks for these files: the first directory of `config_path`; undefined when it is not said. */
export function hostsDirectoryIn(text: string, file: string): string | undefined {
  const tree = parseToml(text, file);
  for (const plugin of ['io.containerd.cri.v1.images', 'io.containerd.grpc.v1.cri']) {
    const found = at(tree, 'plugins', plugin, 'registry', 'config_path');
    const first = found?.kind === 'string' ? found.value.split(':')[0] : undefined;
    if (first) return first;
  }
  return undefined;
}

function withMirror(text: string, file: string, url: string): string {
  if (at(parseToml(text, file), 'host', url) !== undefined) return text;
  const lines = [`[host.${JSON.stringify(url)}]  ${MARK}`, '  capabilities = ["pull", "resolve"]'];
  const added = appendBlock(withoutMirror(text, file), lines);
  try {
    parseToml(added, file);
  } catch (error) {
    const message = `"${file}" has "host" in a form that nothing can be added to; write [host."…"] tables`;
    throw new CodedError('FAILED_PRECONDITION', message, { cause: error });
  }
  return added;
}

/** Also of an earlier address. */
function withoutMirror(text: string, file: string): string {
  let rest = text;
  for (;;) {
    const current = rest;
    const ours = tables(parseText(current, file)).find(
      ({ resolvedKey, key }) => resolvedKey[0] === 'host' && resolvedKey.length === 2 && hasMark(current, key.range),
    );
    if (ours === undefined) return rest;
    rest = removeTable(current, ours);
  }
}

function changed({ file, text }: HostsFile, after: string | undefined): FileChange[] {
  return text === after ? [] : [{ file, before: text, after }];
}

function at(entry: TomlEntry | undefined, ...path: string[]): TomlEntry | undefined {
  return path.reduce<TomlEntry | undefined>(
    (found, name) => (found?.kind === 'table' ? found.entries.get(name) : undefined),
    entry,
  );
}
