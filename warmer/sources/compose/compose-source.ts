/** docker compose projects. */
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { messageOf } from '../../../core/runtime/errors.ts';
import { readText } from '../files/bounded-read.ts';
import type { Source, SourceItem } from '../source.ts';
import { defaultFiles, type OnProblem, type Project, ProjectLoader } from './compose-files.ts';
import { type ComposeNode, entry, itemsOf, textOf } from './compose-node.ts';
import { extendedService } from './extended-services.ts';
import { serviceItems } from './service-workload.ts';

export interface ComposeDeps {
  readonly stdin: AsyncIterable<Uint8Array>;
  /** For variables in values; compose's own are read as well (`COMPOSE_PROFILES`, `COMPOSE_PROJECT_NAME`). */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ComposeOptions {
  /** A file, `-`, or a directory in which the usual names are looked for. */
  readonly path: string;
  /** Files that are merged over it, in their order. */
  readonly overrides?: readonly string[];
  /** Profiles that are on; `*` for all. */
  readonly profiles?: readonly string[];
  /** In place of the project's `.env`. */
  readonly envFiles?: readonly string[];
}

export function createComposeSource(deps: ComposeDeps, options: ComposeOptions): Source {
  return { read: (call) => readProject(deps, options, call) };
}

async function* readProject(
  deps: ComposeDeps,
  options: ComposeOptions,
  { signal }: { signal: AbortSignal },
): AsyncGenerator<SourceItem> {
  const problems: SourceItem[] = [];
  const onProblem: OnProblem = (unresolved) => problems.push({ kind: 'unresolved', unresolved });
  const env = new Map(Object.entries(deps.env).filter((pair): pair is [string, string] => pair[1] !== undefined));
  const readStdin = () => readText(deps.stdin, { signal });
  const loader = new ProjectLoader({ env, signal, onProblem, readStdin });
  const found = await filesOf(options, onProblem);
  if (found === undefined) return yield* problems;
  const project = await loader.load({
    ...found,
    ...(options.envFiles !== undefined && { envFiles: options.envFiles }),
  });
  const name = project.name ?? project.variables.get('COMPOSE_PROJECT_NAME') ?? basename(resolve(found.folder));
  const profiles = new Set([...(options.profiles ?? []), ...profilesIn(project)]);
  for (const [service, own] of project.services) {
    signal.throwIfAborted();
    const node = await extendedService({ project, loader, onProblem }, service, own);
    if (isOn(node, profiles)) yield* serviceItems({ kind: 'ComposeService', project: name, name: service, node });
  }
  for (const [model, node] of project.models) {
    yield* serviceItems({ kind: 'ComposeModel', project: name, name: model, node });
  }
  yield* problems;
}

async function filesOf(
  { path, overrides = [] }: ComposeOptions,
  onProblem: OnProblem,
): Promise<{ files: string[]; folder: string } | undefined> {
  if (path === '-') return { files: [path, ...overrides], folder: '.' };
  try {
    if (!(await stat(path)).isDirectory()) return { files: [path, ...overrides], folder: dirname(path) };
    const files = await defaultFiles(path);
    if (files.length > 0) return { files: [...files, ...overrides], folder: path };
    onProblem({ file: path, line: 1, value: path, reason: 'The directory holds no compose file' });
  } catch (error) {
    onProblem({ file: path, line: 1, value: path, reason: `Not read: ${messageOf(error)}` });
  }
  return undefined;
}

function profilesIn({ variables }: Project): string[] {
  return (variables.get('COMPOSE_PROFILES') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** A service without profiles is always on. */
function isOn(service: ComposeNode, profiles: ReadonlySet<string>): boolean {
  const own = itemsOf(entry(service, 'profiles')).flatMap((item) => textOf(item) ?? []);
  return own.length === 0 || profiles.has('*') || own.some((name) => profiles.has(name));
}
