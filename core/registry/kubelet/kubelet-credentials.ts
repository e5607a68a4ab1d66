/** Credentials from the kubelet's credential provider plugins, configured by the kubelet's own file, which is read again when it has changed. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { CodedError, fromErrno, messageOf } from '../../runtime/errors.ts';
import type { Credential, CredentialSource } from '../credentials.ts';
import { isImageMatched, keyOfAuth } from './image-globs.ts';
import { type ProviderSpec, parseProviderConfig } from './provider-config.ts';
import { ProviderPlugin } from './provider-plugin.ts';

/** Such files are some kilobytes. */
const FILE_BYTES_MAX = 1024 * 1024;
const FILES_MAX = 64;
const EXTENSIONS: ReadonlySet<string> = new Set(['.json', '.yaml', '.yml']);

export interface KubeletCredentialsOptions {
  /** A file, or a directory of them, which are read in the order of their names. */
  readonly config: string;
  readonly binDirectory: string;
  /** The environment of the plugins. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** For one run of a plugin, milliseconds; default the kubelet's minute. */
  readonly deadlineMs?: number;
  /** Told of entries that were left out, once for each version of the files. */
  onProblem?(problem: string): void;
}

/**
 * As the kubelet finds them: every plugin whose `matchImages` match is asked, and of what they answer the most specific key
 * that matches counts. The kubelet tries each that matches in turn; here it is the first one.
 */
export class KubeletCredentials implements CredentialSource {
  readonly #options: KubeletCredentialsOptions;
  #read: { version: string; plugins: readonly ProviderPlugin[] } | undefined;

  constructor(options: KubeletCredentialsOptions) {
    this.#options = options;
  }

  /** Plugins are asked about images: without a repository there is nothing to ask. @throws CodedError UNAVAILABLE when a plugin fails and no other knows */
  async get(
    host: string,
    { signal, repository }: { signal: AbortSignal; repository?: string },
  ): Promise<Credential | undefined> {
    if (repository === undefined) return undefined;
    const image = `${host}/${repository}`;
    const asked = (await this.#plugins()).filter((plugin) => plugin.answersFor(image));
    const answers = await Promise.allSettled(asked.map((plugin) => plugin.ask(image, { signal })));
    signal.throwIfAborted();
    const found = answers
      .flatMap((answer) => (answer.status === 'fulfilled' ? [...answer.value.auth] : []))
      .map(([key, credential]) => ({ key: keyOfAuth(key), credential }))
      .filter(({ key }) => isImageMatched(key, image));
    // The kubelet's index: sorted backwards, so that longer paths come first.
    const [best] = found.toSorted((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0));
    if (best !== undefined) return best.credential;
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return undefined;
  }

  /** @throws CodedError when the configuration cannot be used at all */
  async check(): Promise<void> {
    await this.#plugins();
  }

  async version(): Promise<string> {
    const files = await this.#files();
    const stats = await Promise.all(files.map((file) => stat(file, { bigint: true }).catch(unreadable(file))));
    return stats.map(({ ino, mtimeNs, size }) => `${ino}:${mtimeNs}:${size}`).join(' ');
  }

  /** Answers are forgotten when the configuration changes. */
  async #plugins(): Promise<readonly ProviderPlugin[]> {
    const version = await this.version();
    if (this.#read?.version === version) return this.#read.plugins;
    const plugins = (await this.#specs()).map((spec) => new ProviderPlugin(spec, this.#options));
    // Somebody may have been faster; runs are shared by one set of plugins only.
    if (this.#read?.version === version) return this.#read.plugins;
    this.#read = { version, plugins };
    return plugins;
  }

  async #specs(): Promise<ProviderSpec[]> {
    const specs = new Map<string, ProviderSpec>();
    for (const file of await this.#files()) {
      const { providers, problems } = parsed(file, await textOf(file));
      for (const problem of problems) this.#options.onProblem?.(`${file}: ${problem}`);
      for (const spec of providers) {
        if (specs.has(spec.name)) this.#options.onProblem?.(`${file}: provider "${spec.name}" is configured already`);
        else specs.set(spec.name, spec);
      }
    }
    return [...specs.values()];
  }

  async #files(): Promise<string[]> {
    const { config } = this.#options;
    const found = await stat(config).catch(unreadable(config));
    if (!found.isDirectory()) return [config];
    const names = (await readdir(config).catch(unreadable(config))).filter((name) => EXTENSIONS.has(extname(name)));
    if (names.length === 0 || names.length > FILES_MAX) {
      throw new CodedError('INVALID_ARGUMENT', `"${config}" has no configuration files, or more than ${FILES_MAX}`);
    }
    return names.sort().map((name) => join(config, name));
  }
}

function parsed(file: string, text: string) {
  try {
    return parseProviderConfig(text);
  } catch (error) {
    throw new CodedError('INVALID_ARGUMENT', `"${file}" cannot be used: ${messageOf(error)}`);
  }
}

async function textOf(file: string): Promise<string> {
  const { size } = await stat(file).catch(unreadable(file));
  if (size <= FILE_BYTES_MAX) return readFile(file, 'utf8').catch(unreadable(file));
  throw new CodedError('RESOURCE_EXHAUSTED', `Read of "${file}" is refused: more than ${FILE_BYTES_MAX} bytes`);
}

function unreadable(file: string): (error: unknown) => never {
  return (error) => {
    throw fromErrno(error, `Read of "${file}" failed`);
  };
}
