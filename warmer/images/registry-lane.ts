/**
 * The images of one registry, some at a time. A registry that does not answer, or says that it was asked too often, is
 * left alone for the rest of the run: its other images fail at once instead of each after its own patience.
 */
import { CodedError, codeOf, messageOf } from '../../core/runtime/errors.ts';

/** So many images in a row without an answer, and the registry is taken for dead. */
const SILENT_MAX = 3;

export class RegistryLane {
  readonly #host: string;
  #silent = 0;
  #closed: CodedError | undefined;

  constructor(host: string) {
    this.#host = host;
  }

  /** Runs `task` for each of `items`, `parallel` at once, in order. `task` must not throw for what it can report. */
  async run<T>(items: readonly T[], parallel: number, task: (item: T) => Promise<void>): Promise<void> {
    const left = items.values();
    const worker = async () => {
      for (const item of left) await task(item);
    };
    await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
  }

  /** @throws CodedError with why this registry is asked no more */
  check(): void {
    if (this.#closed !== undefined) throw this.#closed;
  }

  answered(): void {
    this.#silent = 0;
  }

  failed(error: unknown): void {
    const code = codeOf(error);
    if (code === 'RESOURCE_EXHAUSTED') this.#closed ??= new CodedError(code, messageOf(error), { cause: error });
    this.#silent = code === 'UNAVAILABLE' ? this.#silent + 1 : 0;
    if (this.#silent < SILENT_MAX) return;
    const text = `Registry "${this.#host}" is not asked any more: ${SILENT_MAX} images in a row had no answer`;
    this.#closed ??= new CodedError('UNAVAILABLE', text, { cause: error });
  }
}
