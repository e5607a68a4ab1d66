/** A stream of JSON values with their lines (`kubectl get -o json`, Kubernetes' own clients). Pure. */
import { PositionedError, type PositionedNode } from '../yaml/positioned.ts';

/** Kubernetes objects are some twenty levels deep. */
const DEPTH_MAX = 200;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const WORDS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** True when a text starts as JSON objects and lists do; flow YAML does so as well. */
export function looksLikeJson(text: string): boolean {
  return /^\s*[{[]/.test(text.slice(0, 4096));
}

/**
 * The values of a text, one after the other with nothing but space between.
 * @throws PositionedError at the first character that is not JSON; the values before it have been given
 */
export function* readJsonText(text: string): Generator<PositionedNode> {
  const reader = new JsonReader(text);
  while (reader.hasMore()) yield reader.read(0);
}

class JsonReader {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  hasMore(): boolean {
    this.#skipSpace();
    return this.#at < this.#text.length;
  }

  read(depth: number): PositionedNode {
    this.#skipSpace();
    if (depth > DEPTH_MAX) throw this.#wrong(`Nested deeper than ${DEPTH_MAX} levels`);
    const line = this.#line;
    switch (this.#text[this.#at]) {
      case '{':
        return { kind: 'map', line, entries: this.#readEntries(depth) };
      case '[':
        return { kind: 'list', line, items: this.#readItems(depth) };
      case '"':
        return { kind: 'scalar', line, value: this.#readString() };
      default:
        return { kind: 'scalar', line, value: this.#readWord() };
    }
  }

  #readEntries(depth: number): Map<string, PositionedNode> {
    const entries = new Map<string, PositionedNode>();
    this.#readUntil('}', () => {
      if (this.#text[this.#at] !== '"') throw this.#wrong('A key in quotes is missing');
      const key = this.#readString();
      this.#skipSpace();
      if (!this.#skip(':')) throw this.#wrong('A colon is missing');
      entries.set(key, this.read(depth + 1));
    });
    return entries;
  }

  #readItems(depth: number): PositionedNode[] {
    const items: PositionedNode[] = [];
    this.#readUntil(']', () => items.push(this.read(depth + 1)));
    return items;
  }

  /** What stands between brackets, parted by commas. */
  #readUntil(end: string, readOne: () => void): void {
    this.#at += 1;
    this.#skipSpace();
    if (this.#skip(end)) return;
    for (;;) {
      this.#skipSpace();
      readOne();
      this.#skipSpace();
      if (this.#skip(end)) return;
      if (!this.#skip(',')) throw this.#wrong(`A comma or "${end}" is missing`);
    }
  }

  #readString(): string {
    const end = this.#endOfString();
    const quoted = this.#text.slice(this.#at, end);
    try {
      const value: unknown = JSON.parse(quoted);
      this.#at = end;
      return String(value);
    } catch (cause) {
      throw new PositionedError('Not read as JSON: a text is not well formed', this.#line, { cause });
    }
  }

  #endOfString(): number {
    for (let at = this.#text.indexOf('"', this.#at + 1); at >= 0; at = this.#text.indexOf('"', at + 1)) {
      let slashes = 0;
      while (this.#text[at - 1 - slashes] === '\\') slashes += 1;
      if (slashes % 2 === 0) return at + 1;
    }
    throw this.#wrong('A text has no end');
  }

  #readWord(): number | boolean | null {
    for (const [word, value] of WORDS) {
      if (this.#skip(word)) return value;
    }
    NUMBER.lastIndex = this.#at;
    const digits = NUMBER.exec(this.#text)?.[0];
    const value = Number(digits ?? Number.NaN);
    if (digits === undefined || !Number.isFinite(value)) throw this.#wrong('A value is missing');
    this.#at += digits.length;
    return value;
  }

  #skip(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #skipSpace(): void {
    for (; this.#at < this.#text.length; this.#at += 1) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 10) this.#line += 1;
      else if (code !== 32 && code !== 9 && code !== 13) return;
    }
  }

  #wrong(what: string): PositionedError {
    const found = this.#text.slice(this.#at, this.#at + 20);
    return new PositionedError(`Not read as JSON: ${what} at ${JSON.stringify(found)}`, this.#line);
  }
}
