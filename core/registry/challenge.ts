/** `WWW-Authenticate` (RFC 9110, section 11.6.1; RFC 6750, section 3): what a registry wants before it answers. */

/** One challenge; scheme and parameter names in lower case. */
export interface Challenge {
  scheme: string;
  parameters: ReadonlyMap<string, string>;
}

/** Headers longer than this are cut: no honest challenge comes near. */
const HEADER_LENGTH_MAX = 8192;

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const SCHEME_OR_NAME = /[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)/y;
const ASSIGN = /\s*=\s*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;
/** A bare credential in place of parameters, as Negotiate sends it: skipped. */
const TOKEN68 = /[ \t]+[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$)/y;

/**
 * Every challenge of a header, in its order. What is not understood is skipped; nothing is thrown. Several header
 * lines are to be joined with a comma first, as Node does.
 */
export function parseChallenges(header: string): Challenge[] {
  const scanner = new Scanner(header.slice(0, HEADER_LENGTH_MAX));
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  for (let word = scanner.word(); word !== undefined; word = scanner.word()) {
    if (!scanner.skip(ASSIGN)) {
      challenges.push({ scheme: word, parameters: new Map() });
      if (!scanner.startsParameter()) scanner.skip(TOKEN68);
      continue;
    }
    const value = scanner.value();
    if (value === undefined) break;
    challenges.at(-1)?.parameters.set(word, value);
  }
  return challenges;
}

/** Reads left to right; each pattern is sticky, so that the whole is linear in the header's length. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  word(): string | undefined {
    return this.#match(SCHEME_OR_NAME)?.[1]?.toLowerCase();
  }

  skip(pattern: RegExp): boolean {
    return this.#match(pattern) !== null;
  }

  value(): string | undefined {
    const quoted = this.#match(QUOTED)?.[1];
    return quoted === undefined ? this.#match(TOKEN)?.[0] : quoted.replace(/\\(.)/gs, '$1');
  }

  /** After a scheme: does `name = value` follow? Looks ahead only. */
  startsParameter(): boolean {
    const start = this.#at;
    const isParameter = this.word() !== undefined && this.skip(ASSIGN) && this.value() !== undefined;
    this.#at = start;
    return isParameter;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }
}
