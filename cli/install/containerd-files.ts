/** containerd's configuration as it lies on the disk: the file itself, and the files that it imports. */
import { glob } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { type ContainerdFacts, containerdFacts } from './containerd-facts.ts';
import { readIfThere } from './file-changes.ts';

export interface ContainerdFiles {
  readonly file: string;
  /** undefined when there is none. */
  readonly text: string | undefined;
  /** Of the text; of an empty one when there is none. */
  readonly facts: ContainerdFacts;
  readonly imports: readonly ImportedFile[];
}

export interface ImportedFile {
  readonly file: string;
  readonly facts: ContainerdFacts;
}

/** More imports than this are a pattern that matches by mistake. */
const IMPORTS_MAX = 100;

/** @throws CodedError naming the file that cannot be read or is no TOML */
export async function readContainerdFiles(file: string): Promise<ContainerdFiles> {
  const text = await readIfThere(file);
  const facts = containerdFacts(text ?? '', file);
  const imports: ImportedFile[] = [];
  for (const path of await importPaths(file, facts.imports)) {
    const imported = path === file ? undefined : await readIfThere(path);
    if (imported !== undefined) imports.push({ file: path, facts: containerdFacts(imported, path) });
  }
  return { file, text, facts, imports };
}

/** As containerd resolves them (`resolveImports`): relative to the file, `*` matches names. */
async function importPaths(file: string, imports: readonly string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of imports) {
    const path = isAbsolute(entry) ? entry : join(dirname(file), entry);
    if (path.includes('*')) paths.push(...(await Array.fromAsync(glob(path))).sort());
    else paths.push(path);
  }
  return paths.slice(0, IMPORTS_MAX);
}
