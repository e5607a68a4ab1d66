/** RE2 syntax (https://github.com/google/re2/wiki/Syntax) into the steps that `filter-pattern.ts` runs. */
import type { Step } from './filter-pattern.ts';
import { characterAt, compileClass, literalItem, readClass, readEscape } from './filter-pattern-class.ts';

/** Steps of one program. Time is steps times characters, for each blob listed. */
export const PATTERN_STEPS_MAX = 1000;
/** Groups within groups; RE2 has a bound of this kind too. */
const DEPTH_MAX = 50;
/** RE2's own bound on `{n,m}`. */
const REPEAT_MAX = 1000;

interface Flags {
  readonly isCaseless: boolean;
  readonly isDotAll: boolean;
  readonly isMultiline: boolean;
}

class PatternError extends Error {}

/** Undefined when it is no such pattern or too large. */
export function parsePattern(source: string): readonly Step[] | undefined {
  try {
    const parser = new Parser(source);
    const steps = parser.alternatives({ isCaseless: false, isDotAll: false, isMultiline: false }, 0);
    return parser.isAtEnd() ? [...steps, { kind: 'match' }] : undefined;
  } catch (error) {
    if (error instanceof PatternError) return undefined;
    throw error;
  }
}

/** Steps are relative to their fragment's start: `moved` shifts them when fragments are joined. */
class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  isAtEnd(): boolean {
    return this.#at >= this.#source.length;
  }

  alternatives(flags: Flags, depth: number): Step[] {
    if (depth > DEPTH_MAX) throw new PatternError('nested too deeply');
    let steps = this.#sequence(flags, depth);
    while (this.#take('|')) steps = either(steps, this.#sequence(flags, depth));
    return steps;
  }

  #sequence(outer: Flags, depth: number): Step[] {
    let flags = outer;
    let steps: Step[] = [];
    while (!this.isAtEnd() && !this.#sees('|') && !this.#sees(')')) {
      const inner = this.#flagsOnly(flags);
      if (inner !== undefined) flags = inner;
      else steps = join(steps, this.#repeated(flags, depth));
    }
    return steps;
  }

  /** `(?i)` and its like, which hold until the group ends. */
  #flagsOnly(flags: Flags): Flags | undefined {
    const match = this.#match(/\(\?([imsU]*)(?:-([imsU]+))?\)/y);
    return match === null ? undefined : withFlags(flags, match[1], match[2]);
  }

  #repeated(flags: Flags, depth: number): Step[] {
    const atom = this.#atom(flags, depth);
    const match = this.#match(/(?:([*+?])|\{(\d{1,4})(?:(,)(\d{1,4})?)?\})\??/y);
    if (match === null) return atom;
    if (/[*+?]/y.test(this.#source.charAt(this.#at))) throw new PatternError('repeated twice');
    const [, sign, least, comma, most] = match;
    if (sign !== undefined) return repeat(atom, sign === '+' ? 1 : 0, sign === '?' ? 1 : Number.POSITIVE_INFINITY);
    const from = Number(least);
    const to = comma === undefined ? from : most === undefined ? Number.POSITIVE_INFINITY : Number(most);
    if (from > REPEAT_MAX || (to > REPEAT_MAX && most !== undefined) || to < from) throw new PatternError('bad count');
    return repeat(atom, from, to);
  }

  #atom(flags: Flags, depth: number): Step[] {
    const first = characterAt(this.#source, this.#at) ?? '';
    if (first === '(') return this.#group(flags, depth);
    if (first === '[') return this.#class(flags);
    if (first === '\\') return this.#escape(flags);
    if ('*+?'.includes(first)) throw new PatternError('nothing to repeat');
    this.#at += first.length;
    if (first === '.') return [{ kind: 'take', accepts: (character) => flags.isDotAll || character !== '\n' }];
    if (first === '^') return [at((before) => before === undefined || (flags.isMultiline && before === '\n'))];
    if (first === '$') return [at((_, after) => after === undefined || (flags.isMultiline && after === '\n'))];
    return [take(literalItem(first, 0).source, flags)];
  }

  #group(flags: Flags, depth: number): Step[] {
    const match = this.#match(/\((?:\?P?<\w+>|\?([imsU]*)(?:-([imsU]+))?:)?/y);
    const inner = withFlags(flags, match?.[1], match?.[2]);
    if (this.#sees('?')) throw new PatternError('no such group');
    const steps = this.alternatives(inner, depth + 1);
    if (!this.#take(')')) throw new PatternError('group not closed');
    return steps;
  }

  #class(flags: Flags): Step[] {
    const found = readClass(this.#source, this.#at, flags.isCaseless);
    if (found === undefined) throw new PatternError('bad class');
    this.#at = found.end;
    return [{ kind: 'take', accepts: found.accepts }];
  }

  #escape(flags: Flags): Step[] {
    const place = this.#match(/\\([AzbB])/y)?.[1];
    if (place !== undefined) return [at(PLACES[place] ?? (() => false))];
    const quoted = this.#match(/\\Q(.*?)(?:\\E|$)/sy);
    if (quoted !== null)
      return [...(quoted[1] ?? '')].map((character) => take(literalItem(character, 0).source, flags));
    const item = readEscape(this.#source, this.#at);
    if (item === undefined) throw new PatternError('no such escape');
    this.#at = item.end;
    return [take(item.source, flags)];
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  #sees(character: string): boolean {
    return this.#source[this.#at] === character;
  }

  #take(character: string): boolean {
    const isThere = this.#sees(character);
    if (isThere) this.#at += 1;
    return isThere;
  }
}

type Place = (before: string | undefined, after: string | undefined) => boolean;

const isWord = (character: string | undefined) => character !== undefined && /\w/.test(character);

const PLACES: Readonly<Record<string, Place>> = {
  A: (before) => before === undefined,
  z: (_, after) => after === undefined,
  b: (before, after) => isWord(before) !== isWord(after),
  B: (before, after) => isWord(before) === isWord(after),
};

function at(holds: Place): Step {
  return { kind: 'at', holds };
}

function take(body: string, flags: Flags): Step {
  const accepts = compileClass(body, { isNot: false, isCaseless: flags.isCaseless });
  if (accepts === undefined) throw new PatternError('bad character');
  return { kind: 'take', accepts };
}

function withFlags(flags: Flags, on = '', off = ''): Flags {
  const read = (letter: string, before: boolean) => (before || on.includes(letter)) && !off.includes(letter);
  return {
    isCaseless: read('i', flags.isCaseless),
    isDotAll: read('s', flags.isDotAll),
    isMultiline: read('m', flags.isMultiline),
  };
}

function moved(steps: readonly Step[], by: number): Step[] {
  return steps.map((step) =>
    step.kind === 'fork' ? { kind: 'fork', first: step.first + by, second: step.second + by } : step,
  );
}

function join(first: readonly Step[], second: readonly Step[]): Step[] {
  return bounded([...first, ...moved(second, first.length)]);
}

/** fork to the first or the second; the first jumps over the second when it is through. */
function either(first: readonly Step[], second: readonly Step[]): Step[] {
  const secondAt = first.length + 2;
  const end = secondAt + second.length;
  return bounded([
    { kind: 'fork', first: 1, second: secondAt },
    ...moved(first, 1),
    { kind: 'fork', first: end, second: end },
    ...moved(second, secondAt),
  ]);
}

function repeat(atom: readonly Step[], least: number, most: number): Step[] {
  let steps: Step[] = [];
  for (let count = 0; count < least; count += 1) steps = join(steps, atom);
  if (most === Number.POSITIVE_INFINITY) {
    return join(steps, [
      { kind: 'fork', first: 1, second: atom.length + 2 },
      ...moved(atom, 1),
      { kind: 'fork', first: 0, second: 0 },
    ]);
  }
  for (let count = least; count < most; count += 1) {
    steps = join(steps, [{ kind: 'fork', first: 1, second: atom.length + 1 }, ...moved(atom, 1)]);
  }
  return steps;
}

function bounded(steps: Step[]): Step[] {
  if (steps.length > PATTERN_STEPS_MAX) throw new PatternError('too large');
  return steps;
}
