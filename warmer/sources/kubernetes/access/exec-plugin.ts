/** Runs a credential plugin of the operator's own kubeconfig; its answer is kept until it expires or is refused. */
import { execFile } from 'node:child_process';
import type { Clock } from '../../../../core/runtime/clock.ts';
import { CodedError, messageOf } from '../../../../core/runtime/errors.ts';
import { type ExecCredential, type ExecEntry, execInfo, readExecCredential } from './exec-entry.ts';
import type { Environment } from './server-access.ts';

/** Plugins of clouds ask a token server; nobody is there to type anything, milliseconds. */
const DEADLINE_MS = 60_000;
/** Certificates and tokens are some kilobytes. */
const OUTPUT_BYTES_MAX = 1024 * 1024;
const REASON_LENGTH_MAX = 300;
/** A credential is not used any more so shortly before its end: a request takes its time, milliseconds. */
const LEEWAY_MS = 10_000;
/** A refusal so shortly after an answer is of what was shown before, by one of many requests at once; milliseconds. */
const FRESH_MS = 5_000;

export interface ExecPluginDeps {
  readonly env: Environment;
  readonly clock: Clock;
  readonly deadlineMs?: number;
}

export class ExecPlugin {
  readonly #deps: ExecPluginDeps;
  readonly #entry: ExecEntry;
  readonly #cluster: unknown;
  #kept: ExecCredential | undefined;
  #keptMs = 0;
  #running: Promise<ExecCredential> | undefined;

  /** `cluster`: the entry of the kubeconfig, for plugins that want to know it. */
  constructor(deps: ExecPluginDeps, entry: ExecEntry, cluster: unknown) {
    this.#deps = deps;
    this.#entry = entry;
    this.#cluster = cluster;
  }

  /**
   * One run at a time, whoever asks. @throws CodedError UNAUTHENTICATED when it is missing, fails, is late or says too much
   */
  async credential({ isRefused }: { isRefused: boolean }): Promise<ExecCredential> {
    if (this.#running !== undefined) return this.#running;
    const kept = this.#kept;
    const isFresh = this.#deps.clock.monotonicMs() - this.#keptMs < FRESH_MS;
    if (kept !== undefined && (!isRefused || isFresh) && !this.#isOver(kept)) return kept;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
    this.#kept = await this.#running;
    this.#keptMs = this.#deps.clock.monotonicMs();
    return this.#kept;
  }

  #isOver({ expiresMs }: ExecCredential): boolean {
    return expiresMs !== undefined && this.#deps.clock.now() > expiresMs - LEEWAY_MS;
  }

  async #run(): Promise<ExecCredential> {
    const { env, deadlineMs = DEADLINE_MS } = this.#deps;
    const entry = this.#entry;
    const options = {
      env: { ...env, ...entry.env, KUBERNETES_EXEC_INFO: execInfo(entry, this.#cluster) },
      timeout: deadlineMs,
      maxBuffer: OUTPUT_BYTES_MAX,
      killSignal: 'SIGKILL' as const,
    };
    const output = await new Promise<string>((resolve, reject) => {
      const child = execFile(entry.command, [...entry.args], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(this.#failure(error, stderr, deadlineMs));
      });
      child.stdin?.end();
    });
    return readExecCredential(output, entry);
  }

  #failure(error: Error & { code?: unknown; killed?: boolean }, stderr: string, deadlineMs: number): CodedError {
    const { command, installHint } = this.#entry;
    const hint = error.code === 'ENOENT' && installHint !== undefined ? `; ${installHint}` : '';
    const said = (stderr.trim() || messageOf(error)).replace(/\s+/g, ' ').slice(0, REASON_LENGTH_MAX);
    const why =
      error.code === 'ENOENT'
        ? `is not there${hint}`
        : error.killed === true
          ? `was ended: no answer in ${deadlineMs} ms, or one of more than ${OUTPUT_BYTES_MAX} bytes`
          : `failed: ${said}`;
    return new CodedError('UNAUTHENTICATED', `Credential plugin "${command}" ${why}`);
  }
}
