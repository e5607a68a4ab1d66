/** Reads the fields of one entry of a kubeconfig, and says where something is wrong. Pure. */
import { CodedError } from '../../../../core/runtime/errors.ts';
import type { SourceDocument, ValuePath } from '../../documents.ts';
import { field, isRecord, listField, type PlainRecord } from '../../extract/values.ts';

/** One thing of a kubeconfig, with the file that says it. */
export interface Entry {
  readonly document: SourceDocument;
  readonly path: ValuePath;
  readonly value: unknown;
}

export class EntryReader {
  readonly #entry: Entry;

  constructor(entry: Entry) {
    this.#entry = entry;
  }

  /** undefined when it is absent, null or empty. @throws CodedError INVALID_ARGUMENT with file and line */
  text(...keys: readonly string[]): string | undefined {
    const found = field(this.#entry.value, ...keys);
    if (found === undefined || found === null || found === '') return undefined;
    if (typeof found !== 'string') throw this.problem(keys, 'it is no text');
    return found;
  }

  flag(...keys: readonly string[]): boolean {
    const found = field(this.#entry.value, ...keys);
    if (found === undefined || found === null) return false;
    if (typeof found !== 'boolean') throw this.problem(keys, 'it is neither true nor false');
    return found;
  }

  texts(...keys: readonly string[]): string[] {
    return listField(this.#entry.value, ...keys).map((item) => {
      if (typeof item !== 'string') throw this.problem(keys, 'it is no list of texts');
      return item;
    });
  }

  map(...keys: readonly string[]): PlainRecord | undefined {
    const found = field(this.#entry.value, ...keys);
    if (found === undefined || found === null) return undefined;
    if (!isRecord(found)) throw this.problem(keys, 'it is no map');
    return found;
  }

  /** Text in PEM, written as base64. */
  pem(key: string): string | undefined {
    const encoded = this.text(key);
    if (encoded === undefined) return undefined;
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    if (!text.includes('-----BEGIN ')) throw this.problem([key], 'it is not PEM in base64');
    return text;
  }

  /** What is wrong at a key, never with its value: it may be a secret. */
  problem(keys: readonly string[], reason: string): CodedError {
    const { document, path } = this.#entry;
    const line = document.lineOf([...path, ...keys]);
    return new CodedError('INVALID_ARGUMENT', `${document.file}:${line}: ${keys.join('.')}: ${reason}`);
  }
}
