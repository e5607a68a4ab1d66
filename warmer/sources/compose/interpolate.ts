/** Variables in the values of compose files (compose-spec, "Interpolation"). Pure. */

export type Variables = ReadonlyMap<string, string>;

export interface Interpolated {
  readonly text: string;
  /** Why the text is not what it should be: a variable that is not set, or that must be, or a syntax error. */
  readonly problem?: string;
}

/** Defaults within defaults. */
const DEPTH_MAX = 20;
/** A value that repeats itself through variables ends here. */
const LENGTH_MAX = 64 * 1024;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
/** Longer ones first. */
const OPERATORS = [':-', ':?', ':+', '-', '?', '+'] as const;
type Operator = (typeof OPERATORS)[number];

/**
 * `$V`, `${V}`, `${V:-default}`, `${V-default}`, `${V:?error}`, `${V?error}`, `${V:+other}`, `${V+other}`, nested; `$$`
 * is a dollar. With a colon an empty variable counts as one that is not set.
 */
export function interpolate(text: string, variables: Variables): Interpolated {
  if (!text.includes('$')) return { text };
  const problems: string[] = [];
  const result = new Expansion(text, variables, problems).run(0);
  const [problem] = problems;
  return problem === undefined ? { text: result } : { text: result, problem };
}

class Expansion {
  readonly #text: string;
  readonly #variables: Variables;
  readonly #problems: string[];
  #at = 0;

  constructor(text: string, variables: Variables, problems: string[]) {
    this.#text = text;
    this.#variables = variables;
    this.#problems = problems;
  }

  /** Up to the end, or, inside braces, up to the one that closes them. */
  run(depth: number): string {
    let out = '';
    while (this.#at < this.#text.length && !(depth > 0 && this.#text[this.#at] === '}')) {
      const char = this.#text[this.#at] ?? '';
      this.#at += 1;
      out += char === '$' ? this.#afterDollar(depth) : char;
      if (out.length <= LENGTH_MAX) continue;
      this.#problems.push(`It becomes longer than ${LENGTH_MAX} characters`);
      return '';
    }
    return out;
  }

  #afterDollar(depth: number): string {
    if (this.#skip('$')) return '$';
    if (this.#skip('{')) return this.#braced(depth + 1);
    const name = this.#name();
    if (name === '') return this.#wrong();
    return this.#variables.get(name) ?? this.#unset(name);
  }

  #braced(depth: number): string {
    const name = this.#name();
    const operator = OPERATORS.find((one) => this.#skip(one));
    if (name === '' || depth > DEPTH_MAX) return this.#wrong();
    // What is not used is not asked about: its own problems do not count.
    const before = this.#problems.length;
    const word = operator === undefined ? '' : this.run(depth);
    const wordProblems = this.#problems.splice(before);
    if (!this.#skip('}')) return this.#wrong();
    const { value, usesWord } = this.#choose({ name, operator, word });
    if (usesWord) this.#problems.push(...wordProblems);
    return value;
  }

  #choose({ name, operator, word }: { name: string; operator: Operator | undefined; word: string }): {
    value: string;
    usesWord: boolean;
  } {
    const value = this.#variables.get(name);
    const isSet = value !== undefined && !(operator?.startsWith(':') && value === '');
    switch (operator?.at(-1)) {
      case undefined:
        return { value: value ?? this.#unset(name), usesWord: false };
      case '+':
        return { value: isSet ? word : '', usesWord: isSet };
      case '-':
        return { value: isSet ? value : word, usesWord: !isSet };
      default:
        if (!isSet) this.#problems.push(`Variable "${name}" must be set${word === '' ? '' : `: ${word}`}`);
        return { value: isSet ? value : '', usesWord: !isSet };
    }
  }

  #unset(name: string): string {
    this.#problems.push(`Variable "${name}" is not set`);
    return '';
  }

  #wrong(): string {
    this.#problems.push(`Variables in "${this.#text.slice(0, 100)}" are not well formed`);
    return '';
  }

  #name(): string {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#text)?.[0] ?? '';
    this.#at += name.length;
    return name;
  }

  #skip(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }
}
