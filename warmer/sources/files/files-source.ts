/** Files and directories of manifests, chart archives, and what other tools write to stdin. */
import { basename } from 'node:path';
import { messageOf } from '../../../core/runtime/errors.ts';
import { type ChartDeps, chartDocuments } from '../charts/chart-documents.ts';
import type { Source, SourceItem } from '../source.ts';
import { textDocuments } from '../text-documents.ts';
import { readFileText, readText } from './bounded-read.ts';
import { findFiles, type FoundFile } from './walk.ts';

export interface FilesDeps extends ChartDeps {
  /** What `-` means. */
  readonly stdin: AsyncIterable<Uint8Array>;
}

export interface FilesOptions {
  /** A file, a directory, or `-`. */
  readonly path: string;
  /** Value files for charts, in their order. */
  readonly values?: readonly string[];
}

/** A compose file among manifests needs its own kind of source, which knows its environment. */
const COMPOSE_FILE = /^(?:docker-)?compose(?:\.[\w-]+)*\.ya?ml$/i;

export function createFilesSource(deps: FilesDeps, options: FilesOptions): Source {
  return { read: (call) => readFiles(deps, options, call) };
}

async function* readFiles(
  deps: FilesDeps,
  { path, values = [] }: FilesOptions,
  call: { signal: AbortSignal },
): AsyncGenerator<SourceItem> {
  if (path === '-') return yield* readManifest('-', () => readText(deps.stdin, call));
  for await (const found of findFiles(path, call)) yield* readFound(deps, found, { values, ...call });
}

async function* readFound(
  deps: FilesDeps,
  found: FoundFile,
  call: { values: readonly string[]; signal: AbortSignal },
): AsyncGenerator<SourceItem> {
  const { path } = found;
  if (found.kind === 'problem') return yield problem(path, found.reason);
  if (found.kind !== 'manifest') return yield* chartDocuments(deps, { path, kind: found.kind }, call);
  if (COMPOSE_FILE.test(basename(path))) {
    return yield problem(path, 'Looks like a docker compose file: give it as a source of kind = "compose"');
  }
  yield* readManifest(path, () => readFileText(path, call));
}

async function* readManifest(file: string, read: () => Promise<string>): AsyncGenerator<SourceItem> {
  let text: string;
  try {
    text = await read();
  } catch (error) {
    // An aborted read ends the source; anything else costs this file.
    if (error instanceof Error && error.name === 'AbortError') throw error;
    return yield problem(file, `Not read: ${messageOf(error)}`);
  }
  yield* textDocuments(text, file);
}

function problem(file: string, reason: string): SourceItem {
  return { kind: 'unresolved', unresolved: { file, line: 1, value: basename(file), reason } };
}
