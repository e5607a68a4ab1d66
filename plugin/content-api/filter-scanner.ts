/** Tokens of containerd's filter language (`pkg/filters/scanner.go`): the next one depends on whether a value is due. */
import { CodedError } from '../../core/runtime/errors.ts';

export type TokenKind = 'end' | 'quoted' | 'value' | 'field' | 'separator' | 'operator' | 'other';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Where it begins, in UTF-16 units. */
  readonly at: number;
}

const FIELD = /[A-Za-z0-9_]+/y;
const OPERATOR = /[=!~]+/y;
const SPACE = /[\p{White_Space}]+/uy;
/** A value without quotes: anything that shows, up to a comma or white space. */
const VALUE = /[^,\p{White_Space}\p{C}]+/uy;
/** Quoted text with Go's escapes, one line; `"`, `/` and `|` quote. */
const QUOTED = /(["/|])(?:(?!\1)[^\\\n]|\\.)*\1/uy;

/** Walks over one filter's text. */
export class FilterScanner {
  readonly #input: string;
  #at = 0;
  /** After an operator the next bare word is a value, which may hold more than a field's name. */
  #isValueDue = false;

  constructor(input: string) {
    this.#input = input;
  }

  /** The next token, consumed. @throws CodedError INVALID_ARGUMENT for a quote that is not closed */
  next(): Token {
    this.#match(SPACE);
    const at = this.#at;
    const first = this.#input[at];
    if (first === undefined) return { kind: 'end', text: '', at };
    if (first === '"' || first === '/' || first === '|') return this.#quoted(at);
    if (first === ',' || first === '.') {
      this.#isValueDue = false;
      this.#at += 1;
      return { kind: 'separator', text: first, at };
    }
    return this.#operator(at) ?? this.#word(at);
  }

  /** The character that comes next as it stands: white space counts, as in containerd's parser. Empty at the end. */
  peek(): string {
    return this.#input[this.#at] ?? '';
  }

  /** The error for input that no rule takes here. */
  unexpected(): CodedError {
    return this.error(this.#at, `unexpected input: ${this.peek()}`);
  }

  /** An INVALID_ARGUMENT that shows the place. */
  error(at: number, text: string): CodedError {
    const near = this.#input.slice(Math.max(0, at - 40), at);
    const here = this.#input.slice(at, at + 1);
    const after = this.#input.slice(at + 1, at + 40);
    return new CodedError('INVALID_ARGUMENT', `filters: parse error: [${near} >|${here}|< ${after}]: ${text}`);
  }

  #quoted(at: number): Token {
    const text = this.#match(QUOTED);
    if (text === undefined) throw this.error(at, 'quoted literal not terminated');
    return { kind: 'quoted', text, at };
  }

  #operator(at: number): Token | undefined {
    const text = this.#match(OPERATOR);
    if (text === undefined) return undefined;
    this.#isValueDue = true;
    return { kind: 'operator', text, at };
  }

  #word(at: number): Token {
    const kind = this.#isValueDue ? 'value' : 'field';
    const text = this.#match(this.#isValueDue ? VALUE : FIELD);
    this.#isValueDue = false;
    if (text !== undefined) return { kind, text, at };
    this.#at += 1;
    return { kind: 'other', text: this.#input.slice(at, at + 1), at };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#input)?.[0];
    if (text !== undefined) this.#at += text.length;
    return text;
  }
}
