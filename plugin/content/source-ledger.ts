/** What one flight knows of its sources: who refused, who brought bytes, who brought wrong ones. No clock, no disk. */
import { CodedError, codeOf, type ErrorCode, isCode, messageOf } from '../../core/runtime/errors.ts';
import type { BlobSource, Want } from './blob-source.ts';

/** A source's `strikesMax` by default: wrong bytes may be one broken disk or line on the way; twice is a habit. */
const STRIKES_MAX = 2;
const REFUSALS = ['NOT_FOUND', 'UNAUTHENTICATED', 'PERMISSION_DENIED'] as const;

export class SourceLedger {
  readonly #sources: readonly BlobSource[];
  readonly #refusals = new Map<BlobSource, unknown>();
  readonly #strikes = new Map<BlobSource, number>();
  /** Bytes of the present attempt, by who brought them. */
  #brought = new Map<BlobSource, number>();

  constructor(sources: readonly BlobSource[]) {
    this.#sources = sources;
  }

  /** Those that did not refuse, in order. */
  willing(): BlobSource[] {
    return this.#sources.filter((source) => !this.#refusals.has(source));
  }

  /** Those of them that have a route, or may have one. */
  usable(want: Want): BlobSource[] {
    return this.willing().filter((source) => source.route(want) !== 'no');
  }

  brought(source: BlobSource, bytes: number): void {
    this.#brought.set(source, (this.#brought.get(source) ?? 0) + bytes);
  }

  /** Bytes that each source brought in this attempt. */
  contributions(): ReadonlyMap<BlobSource, number> {
    return this.#brought;
  }

  /** Notes a try's failure. */
  failed(source: BlobSource, error: unknown): void {
    if (isCode(error, ...REFUSALS)) this.#refusals.set(source, error);
    if (isCode(error, 'DATA_LOSS')) this.#strike(source, error);
  }

  /**
   * The attempt's bytes were wrong: everyone who brought some is told and gets a strike, but for the last resort where others
   * brought some too: it is blamed alone, or a few bytes beside a liar's would make it one.
   * @returns how many those were
   */
  blame(want: Want, error: unknown): number {
    const brought = [...this.#brought.keys()];
    const blamed = brought.length > 1 ? brought.filter((source) => source !== this.#sources.at(-1)) : brought;
    for (const source of blamed) {
      source.sentWrongBytes(want);
      this.#strike(source, error);
    }
    this.#brought = new Map();
    return blamed.length;
  }

  /** Why there is nobody left to ask: one code when all agree, with every refusal as cause. */
  nobodyLeft(want: Want): CodedError {
    const causes = [...this.#refusals.values()];
    const codes = new Set<ErrorCode>(causes.map(codeOf));
    const [code = 'NOT_FOUND'] = codes;
    const reasons = this.#sources.map((source) => {
      const error = this.#refusals.get(source);
      return `${source.name}: ${error === undefined ? 'no route' : messageOf(error)}`;
    });
    return new CodedError(
      codes.size > 1 ? 'NOT_FOUND' : code,
      `No source can bring "${want.digest}"${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}`,
      { cause: new AggregateError(causes, 'Every source refused') },
    );
  }

  #strike(source: BlobSource, error: unknown): void {
    const strikes = (this.#strikes.get(source) ?? 0) + 1;
    this.#strikes.set(source, strikes);
    if (strikes >= (source.strikesMax ?? STRIKES_MAX)) this.#refusals.set(source, error);
  }
}
