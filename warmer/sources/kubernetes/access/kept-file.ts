/** A small file that others renew: a service account's token, a certificate. */
import { CodedError, messageOf } from '../../../../core/runtime/errors.ts';
import type { Clock } from '../../../../core/runtime/clock.ts';
import { readFileText } from '../../files/bounded-read.ts';

/** Tokens and certificate bundles are some kilobytes. */
const FILE_BYTES_MAX = 1024 * 1024;
/** As client-go (`transport.NewCachedFileTokenSource`): the kubelet renews a token long before its end. */
const KEEP_MS = 60_000;

export class KeptFile {
  readonly #file: string;
  readonly #clock: Clock;
  #kept: { readonly text: string; readonly readMs: number } | undefined;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  /**
   * Its text without space around it, a minute old at most, or just read when `isRefused`. What was read before is used
   * while the file cannot be read.
   * @throws CodedError UNAUTHENTICATED when it was never read
   */
  async read({ isRefused, signal }: { isRefused: boolean; signal: AbortSignal }): Promise<string> {
    const kept = this.#kept;
    if (kept !== undefined && !isRefused && this.#clock.monotonicMs() - kept.readMs < KEEP_MS) return kept.text;
    try {
      const text = (await readFileText(this.#file, { signal, bytesMax: FILE_BYTES_MAX })).trim();
      if (text === '') throw new CodedError('INVALID_ARGUMENT', 'It is empty');
      this.#kept = { text, readMs: this.#clock.monotonicMs() };
      return text;
    } catch (error) {
      signal.throwIfAborted();
      if (kept !== undefined) return kept.text;
      throw new CodedError('UNAUTHENTICATED', `Read of "${this.#file}" failed: ${messageOf(error)}`, { cause: error });
    }
  }
}
