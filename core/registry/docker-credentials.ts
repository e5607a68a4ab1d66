/** Credentials from docker's `config.json`, as it is now: the file is read again when it has changed. */
import { readFile, stat } from 'node:fs/promises';
import { CodedError, errnoOf, fromErrno } from '../runtime/errors.ts';
import { askHelper } from './credential-helper.ts';
import type { Credential, CredentialSource } from './credentials.ts';
import {
  authFor,
  type DockerConfig,
  dockerKey,
  EMPTY_DOCKER_CONFIG,
  helperFor,
  parseDockerConfig,
} from './docker-config.ts';

/** Config files are some kilobytes, also with hundreds of registries. */
const CONFIG_BYTES_MAX = 4 * 1024 * 1024;

export interface DockerCredentialsOptions {
  /** The file. Absent is the same as empty. */
  path: string;
  /** The environment of helpers. */
  env: Readonly<Record<string, string | undefined>>;
  helperDeadlineMs?: number;
  /** Told of entries that could not be understood, once for each version of the file. */
  onProblem?(problem: string): void;
}

/** docker's own file. A helper named for a host decides; when it fails, the file's own entry is used if there is one. */
export class DockerCredentials implements CredentialSource {
  readonly #options: DockerCredentialsOptions;
  #read: { version: string; config: DockerConfig } | undefined;

  constructor(options: DockerCredentialsOptions) {
    this.#options = options;
  }

  async get(host: string, options: { signal: AbortSignal }): Promise<Credential | undefined> {
    const config = await this.#config();
    const own = authFor(config, host);
    const helper = helperFor(config, host);
    if (helper === undefined) return own;
    const { env, helperDeadlineMs: deadlineMs } = this.#options;
    try {
      return await askHelper(helper, dockerKey(host), {
        env,
        signal: options.signal,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
    } catch (error) {
      if (own === undefined) throw error;
      return own;
    }
  }

  async version(): Promise<string> {
    try {
      const { ino, mtimeNs, size } = await stat(this.#options.path, { bigint: true });
      return `${ino}:${mtimeNs}:${size}`;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return 'absent';
      throw fromErrno(error, `Read of "${this.#options.path}" failed`);
    }
  }

  async #config(): Promise<DockerConfig> {
    const version = await this.version();
    if (this.#read?.version === version) return this.#read.config;
    const config = version === 'absent' ? EMPTY_DOCKER_CONFIG : parseDockerConfig(await this.#bytes());
    for (const problem of config.problems) this.#options.onProblem?.(`${this.#options.path}: ${problem}`);
    this.#read = { version, config };
    return config;
  }

  async #bytes(): Promise<Buffer> {
    const { path } = this.#options;
    try {
      const { size } = await stat(path);
      if (size <= CONFIG_BYTES_MAX) return await readFile(path);
    } catch (error) {
      throw fromErrno(error, `Read of "${path}" failed`);
    }
    throw new CodedError('RESOURCE_EXHAUSTED', `Read of "${path}" is refused: more than ${CONFIG_BYTES_MAX} bytes`);
  }
}
