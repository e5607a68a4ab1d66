/** The files of a compose project: which they are, and the model that they make together. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errnoOf, messageOf } from '../../../core/runtime/errors.ts';
import { readFileText } from '../files/bounded-read.ts';
import { readYamlText } from '../yaml/yaml-text.ts';
import { type ComposeNode, composeNode, entriesOf, entry, itemsOf, merged, textOf } from './compose-node.ts';
import { parseEnvFile } from './env-file.ts';
import type { Variables } from './interpolate.ts';

/** Files of one project, those that it includes and extends counted. */
const FILES_MAX = 1_000;
const FILE_BYTES_MAX = 4 * 1024 * 1024;
const ENV_BYTES_MAX = 1024 * 1024;
/** compose-spec, "Compose file": in this order, with their overrides. */
const DEFAULT_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

export type OnProblem = (problem: { file: string; line: number; value: string; reason: string }) => void;

export interface Project {
  readonly services: ReadonlyMap<string, ComposeNode>;
  readonly models: ReadonlyMap<string, ComposeNode>;
  readonly name: string | undefined;
  readonly variables: Variables;
}

export interface LoaderDeps {
  /** Wins over `.env` files, as in compose. */
  readonly env: Variables;
  readonly signal: AbortSignal;
  readonly onProblem: OnProblem;
  /** For `-`. */
  readonly readStdin: () => Promise<string>;
}

export interface ProjectFiles {
  readonly files: readonly string[];
  readonly folder: string;
  /** Default: `.env` in the folder, if there is one. */
  readonly envFiles?: readonly string[];
}

/** The files that compose would read in a folder. */
export async function defaultFiles(folder: string): Promise<string[]> {
  const names = new Set(await readdir(folder));
  const name = DEFAULT_NAMES.find((one) => names.has(one));
  if (name === undefined) return [];
  const overrides = DEFAULT_NAMES.map((one) => one.replace(/(\.ya?ml)$/, '.override$1'));
  const override = overrides.find((one) => names.has(one));
  return [name, ...(override === undefined ? [] : [override])].map((one) => join(folder, one));
}

export class ProjectLoader {
  readonly #deps: LoaderDeps;
  #files = 0;

  constructor(deps: LoaderDeps) {
    this.#deps = deps;
  }

  /** A project with all that it includes; `including` are the real paths of the files that led here. */
  async load({ files, folder, envFiles }: ProjectFiles, including: readonly string[] = []): Promise<Project> {
    const variables = await this.#variables(folder, envFiles);
    const services = new Map<string, ComposeNode>();
    const models = new Map<string, ComposeNode>();
    let model: ComposeNode | undefined;
    for (const file of files) {
      const path = file === '-' ? file : await realpath(file).catch(() => resolve(file));
      const node = await this.read(file, variables);
      if (node === undefined) continue;
      for (const include of itemsOf(entry(node, 'include'))) {
        const inner = await this.#include(include, { folder: dirname(file), including: [...including, path] });
        for (const [name, service] of inner?.services ?? []) services.set(name, service);
        for (const [name, one] of inner?.models ?? []) models.set(name, one);
      }
      model = model === undefined ? node : merged(model, node);
    }
    for (const [name, service] of entriesOf(entry(model, 'services'))) services.set(name, service);
    for (const [name, one] of entriesOf(entry(model, 'models'))) models.set(name, one);
    return { services, models, name: textOf(entry(model, 'name')), variables };
  }

  /** One file; undefined, with the problem told, when it cannot be read. */
  async read(file: string, variables: Variables): Promise<ComposeNode | undefined> {
    const { signal, onProblem } = this.#deps;
    this.#files += 1;
    const problem = (line: number, reason: string) => onProblem({ file, line, value: file, reason });
    if (this.#files > FILES_MAX) return void problem(1, `The project has more than ${FILES_MAX} files`);
    try {
      const text =
        file === '-' ? await this.#deps.readStdin() : await readFileText(file, { signal, bytesMax: FILE_BYTES_MAX });
      let node: ComposeNode | undefined;
      for (const part of readYamlText(text, 'compose')) {
        if (part.kind === 'broken') problem(part.line, part.reason);
        else node = node ?? composeNode(part.node, file, variables);
      }
      return node;
    } catch (error) {
      signal.throwIfAborted();
      return void problem(1, `Not read: ${messageOf(error)}`);
    }
  }

  async #include(
    include: ComposeNode,
    { folder, including }: { folder: string; including: readonly string[] },
  ): Promise<Project | undefined> {
    const { onProblem } = this.#deps;
    const texts = (node: ComposeNode | undefined) => itemsOf(node).flatMap((item) => textOf(item) ?? []);
    const files = texts(include.kind === 'map' ? entry(include, 'path') : include).map((file) => resolve(folder, file));
    const [first] = files;
    if (first === undefined) {
      onProblem({ file: include.file, line: include.line, value: '', reason: 'An include names no file' });
      return undefined;
    }
    const real = await Promise.all(files.map((file) => realpath(file).catch(() => file)));
    const cycle = real.find((file) => including.includes(file));
    if (cycle !== undefined) {
      const reason = `The include leads back to itself: ${[...including, cycle].join(' → ')}`;
      onProblem({ file: include.file, line: include.line, value: cycle, reason });
      return undefined;
    }
    const named = textOf(entry(include, 'project_directory'));
    const projectFolder = named === undefined ? dirname(first) : resolve(folder, named);
    const envFiles = texts(entry(include, 'env_file')).map((file) => resolve(folder, file));
    return this.load({ files, folder: projectFolder, ...(envFiles.length > 0 && { envFiles }) }, including);
  }

  async #variables(folder: string, envFiles: readonly string[] | undefined): Promise<Variables> {
    const { env, signal, onProblem } = this.#deps;
    const found = new Map<string, string>();
    for (const file of envFiles ?? [join(folder, '.env')]) {
      try {
        if (!(await stat(file)).isFile()) continue;
        const text = await readFileText(file, { signal, bytesMax: ENV_BYTES_MAX });
        for (const [name, value] of parseEnvFile(text, env)) found.set(name, value);
      } catch (error) {
        signal.throwIfAborted();
        const isOptional = envFiles === undefined && errnoOf(error) === 'ENOENT';
        if (!isOptional) onProblem({ file, line: 1, value: file, reason: `Not read: ${messageOf(error)}` });
      }
    }
    return new Map([...found, ...env]);
  }
}
