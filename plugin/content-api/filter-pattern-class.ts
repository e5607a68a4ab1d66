/** Single characters of RE2 patterns, as tests. One character at a time JavaScript's own classes cannot blow up. */

/** RE2's Perl classes are ASCII, unlike JavaScript's `\s`. */
const PERL: Readonly<Record<string, string>> = {
  d: '0-9',
  w: '0-9A-Za-z_',
  s: '\\t\\n\\f\\r ',
};

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

const CONTROL: Readonly<Record<string, string>> = { a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

const ESCAPE =
  /\\(?:([dwsDWS])|([pP])(?:([A-Z])|\{(\^?)([A-Za-z_]+)\})|([afnrtv])|x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|([0-7]{3})|([^0-9A-Za-z]))/uy;

export type Accepts = (character: string) => boolean;

/** What stands in a class: the source of a JavaScript `u` class, and whether the item is one character (may begin a range). */
interface Item {
  readonly source: string;
  readonly isSingle: boolean;
  readonly end: number;
}

/** An escape outside or inside brackets; undefined when RE2 has no such one. */
export function readEscape(pattern: string, at: number): Item | undefined {
  ESCAPE.lastIndex = at;
  const match = ESCAPE.exec(pattern);
  if (match === null) return undefined;
  const [all, perl, property, letter, not, name, control, hex, longHex, octal, punctuation] = match;
  const end = at + all.length;
  if (perl !== undefined) return perlItem(perl, end);
  if (property !== undefined) return propertyItem(property, { name: letter ?? name ?? '', isNot: not === '^' }, end);
  const point = hex ?? longHex;
  if (point !== undefined) return single(Number.parseInt(point, 16), end);
  if (octal !== undefined) return single(Number.parseInt(octal, 8), end);
  return single((CONTROL[control ?? ''] ?? punctuation ?? '').codePointAt(0) ?? 0, end);
}

function perlItem(perl: string, end: number): Item {
  const lower = perl.toLowerCase();
  const source = PERL[lower] ?? '';
  return { source: perl === lower ? source : complement(source), isSingle: false, end };
}

/** Everything but a Perl class, as something that can stand inside brackets: the gaps of three fixed sets. */
function complement(source: string): string {
  const gaps: Readonly<Record<string, string>> = {
    '0-9': '\\x00-/:-\\u{10ffff}',
    '0-9A-Za-z_': '\\x00-/:-@\\[-\\^`\\{-\\u{10ffff}',
  };
  return gaps[source] ?? '\\x00-\\x08\\x0b\\x0e-\\x1f!-\\u{10ffff}';
}

function propertyItem(letter: string, property: { name: string; isNot: boolean }, end: number): Item | undefined {
  const isNot = (letter === 'P') !== property.isNot;
  for (const name of [property.name, `Script=${property.name}`]) {
    const source = `\\${isNot ? 'P' : 'p'}{${name}}`;
    if (compileClass(source, { isNot: false, isCaseless: false }) !== undefined)
      return { source, isSingle: false, end };
  }
  return undefined;
}

function single(point: number, end: number): Item | undefined {
  return point > 0x10ffff ? undefined : { source: `\\u{${point.toString(16)}}`, isSingle: true, end };
}

/** A literal character in brackets or outside. */
export function literalItem(character: string, at: number): Item {
  const point = character.codePointAt(0) ?? 0;
  return { source: `\\u{${point.toString(16)}}`, isSingle: true, end: at + character.length };
}

/** A test for the body of a class; undefined when it is none (a range the wrong way round). */
export function compileClass(body: string, how: { isNot: boolean; isCaseless: boolean }): Accepts | undefined {
  try {
    const pattern = new RegExp(`^[${how.isNot ? '^' : ''}${body}]$`, how.isCaseless ? 'iu' : 'u');
    return (character) => pattern.test(character);
  } catch {
    return undefined;
  }
}

/** `[…]` from its bracket on: the test and where it ends. */
export function readClass(
  pattern: string,
  start: number,
  isCaseless: boolean,
): { accepts: Accepts; end: number } | undefined {
  const isNot = pattern[start + 1] === '^';
  let at = start + (isNot ? 2 : 1);
  let body = '';
  for (let isFirst = true; isFirst || pattern[at] !== ']'; isFirst = false) {
    const item = readItem(pattern, at);
    if (item === undefined) return undefined;
    const range = item.isSingle ? readRange(pattern, item) : undefined;
    if (range === 'wrong') return undefined;
    body += range?.source ?? item.source;
    at = range?.end ?? item.end;
  }
  const accepts = compileClass(body, { isNot, isCaseless });
  return accepts === undefined ? undefined : { accepts, end: at + 1 };
}

function readItem(pattern: string, at: number): Item | undefined {
  const posix = /^\[:(\^?)([a-z]+):\]/.exec(pattern.slice(at, at + 12));
  if (posix !== null) return posixItem(posix, at);
  const character = characterAt(pattern, at);
  if (character === undefined) return undefined;
  return character === '\\' ? readEscape(pattern, at) : literalItem(character, at);
}

function posixItem(match: RegExpExecArray, at: number): Item | undefined {
  const [all, not, name] = match;
  const source = POSIX[name ?? ''];
  if (source === undefined || not === '^') return undefined;
  return { source, isSingle: false, end: at + all.length };
}

/** The whole character at `at`, also beyond the basic plane. */
export function characterAt(text: string, at: number): string | undefined {
  const point = text.codePointAt(at);
  return point === undefined ? undefined : String.fromCodePoint(point);
}

function readRange(pattern: string, first: Item): Item | 'wrong' | undefined {
  const after = pattern[first.end + 1];
  if (pattern[first.end] !== '-' || after === undefined || after === ']') return undefined;
  const last = readItem(pattern, first.end + 1);
  if (last?.isSingle !== true) return 'wrong';
  return { source: `${first.source}-${last.source}`, isSingle: false, end: last.end };
}
