/** The files below a path that may hold manifests. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../core/runtime/errors.ts';

/** Files of one source; a repository of five thousand manifests is a large one. */
const FILES_MAX = 100_000;
const DEPTH_MAX = 32;
const MANIFEST = /\.(?:ya?ml|json)$/i;
const CHART = /\.(?:tgz|tar\.gz)$/i;
/** Never holds manifests of one's own. */
const SKIPPED_FOLDERS = new Set(['node_modules', 'vendor']);

export type FoundFile =
  | { readonly kind: 'manifest' | 'chart' | 'chart-folder'; readonly path: string }
  | { readonly kind: 'problem'; readonly path: string; readonly reason: string };

/**
 * What a path names: a file is read whatever its name; of a directory, manifests, chart archives and chart directories,
 * in the order of their names. Hidden entries are left out, as those of a mounted ConfigMap.
 */
export async function* findFiles(path: string, { signal }: { signal: AbortSignal }): AsyncGenerator<FoundFile> {
  let count = 0;
  const visited = new Set<string>();
  for await (const found of walk(path, { depth: 0, visited })) {
    signal.throwIfAborted();
    count += 1;
    if (count > FILES_MAX) {
      yield { kind: 'problem', path, reason: `Holds more than ${FILES_MAX} files; the rest is not read` };
      return;
    }
    yield found;
  }
}

interface WalkState {
  readonly depth: number;
  /** Real paths, so that links that lead around end. */
  readonly visited: Set<string>;
}

async function* walk(path: string, { depth, visited }: WalkState): AsyncGenerator<FoundFile> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    yield { kind: 'problem', path, reason: `Not read: ${messageOf(error)}` };
    return;
  }
  if (!isFolder) {
    if (CHART.test(path)) yield { kind: 'chart', path };
    else if (depth === 0 || MANIFEST.test(path)) yield { kind: 'manifest', path };
    return;
  }
  yield* walkFolder(path, { depth, visited });
}

async function* walkFolder(path: string, { depth, visited }: WalkState): AsyncGenerator<FoundFile> {
  try {
    const real = await realpath(path);
    if (visited.has(real)) return;
    visited.add(real);
    const names = (await readdir(path)).filter((name) => !name.startsWith('.') && !SKIPPED_FOLDERS.has(name));
    if (names.includes('Chart.yaml')) return yield { kind: 'chart-folder', path };
    if (depth >= DEPTH_MAX) {
      return yield { kind: 'problem', path, reason: `Deeper than ${DEPTH_MAX} directories; not read` };
    }
    for (const name of names.sort()) yield* walk(join(path, name), { depth: depth + 1, visited });
  } catch (error) {
    yield { kind: 'problem', path, reason: `Not read: ${messageOf(error)}` };
  }
}
