/**
 * containerd's filter language (`pkg/filters`), by which List and ListStatuses are narrowed:
 *
 *     selectors := selector ("," selector)*        all of them must match
 *     selector  := fieldpath (operator value)?     without an operator: the field is present
 *     fieldpath := field ("." field)*
 *     field     := quoted | [A-Za-z0-9_]+
 *     operator  := "==" | "!=" | "~="
 *     value     := quoted | [^\s,]+                "~=" may also be quoted by "/" or "|"
 *
 * Several filters match when any of them does; none at all match everything.
 */
import { CodedError } from '../../core/runtime/errors.ts';
import { FilterScanner } from './filter-scanner.ts';
import { compilePattern, type Pattern } from './filter-pattern.ts';
import { unquote } from './filter-unquote.ts';

/** Filters in one request. */
export const FILTERS_MAX = 256;
/** Characters of one filter: a digest, a ref or a label with room to spare. */
export const FILTER_LENGTH_MAX = 8192;

interface Selector {
  readonly path: readonly string[];
  readonly operator: 'present' | '==' | '!=' | '~=';
  readonly value: string;
  /** Undefined when `value` is no pattern: it matches nothing then, as containerd has it. */
  readonly pattern: Pattern | undefined;
}

/** Selectors that must all match. */
export type Filter = readonly Selector[];

/** The value of a field; undefined when it is not present. */
export type FieldOf = (path: readonly string[]) => string | undefined;

/** @throws CodedError INVALID_ARGUMENT showing where a filter is wrong, or that there is too much of it */
export function parseFilters(texts: readonly string[]): readonly Filter[] {
  if (texts.length > FILTERS_MAX) {
    throw new CodedError('INVALID_ARGUMENT', `${texts.length} filters were given; at most ${FILTERS_MAX} are taken`);
  }
  return texts.map(parseFilter);
}

/** True when any filter matches, or when there is none. */
export function matchesAny(filters: readonly Filter[], fieldOf: FieldOf): boolean {
  return filters.length === 0 || filters.some((filter) => filter.every((selector) => matches(selector, fieldOf)));
}

function matches(selector: Selector, fieldOf: FieldOf): boolean {
  const value = fieldOf(selector.path);
  switch (selector.operator) {
    case 'present':
      return value !== undefined;
    case '==':
      return value === selector.value;
    case '!=':
      return (value ?? '') !== selector.value;
    case '~=':
      return selector.pattern?.matches(value ?? '') === true;
  }
}

function parseFilter(text: string): Filter {
  if (text.length > FILTER_LENGTH_MAX) {
    throw new CodedError(
      'INVALID_ARGUMENT',
      `A filter has ${text.length} characters; at most ${FILTER_LENGTH_MAX} are taken`,
    );
  }
  if (text === '') return [];
  const scanner = new FilterScanner(text);
  const selectors = [parseSelector(scanner)];
  while (scanner.peek() === ',') {
    scanner.next();
    selectors.push(parseSelector(scanner));
  }
  if (scanner.peek() !== '') throw scanner.unexpected();
  return selectors;
}

function parseSelector(scanner: FilterScanner): Selector {
  const path = [parseField(scanner)];
  while (scanner.peek() === '.') {
    scanner.next();
    path.push(parseField(scanner));
  }
  if (scanner.peek() === ',' || scanner.peek() === '') {
    return { path, operator: 'present', value: '', pattern: undefined };
  }
  const operator = parseOperator(scanner);
  const value = parseValue(scanner, operator);
  return { path, operator, value, pattern: operator === '~=' ? compilePattern(value) : undefined };
}

function parseField(scanner: FilterScanner): string {
  const token = scanner.next();
  if (token.kind === 'field') return token.text;
  if (token.kind !== 'quoted') throw scanner.error(token.at, 'expected field or quoted');
  if (!token.text.startsWith('"')) throw scanner.error(token.at, 'invalid quote encountered');
  return unquote(token.text) ?? fail(scanner, token.at);
}

function parseOperator(scanner: FilterScanner): '==' | '!=' | '~=' {
  const { kind, text, at } = scanner.next();
  if (text === '==' || text === '!=' || text === '~=') return text;
  const wanted = 'expected an operator ("=="|"!="|"~=")';
  throw scanner.error(at, kind === 'operator' ? `unsupported operator "${text}"` : wanted);
}

function parseValue(scanner: FilterScanner, operator: '==' | '!=' | '~='): string {
  const token = scanner.next();
  if (token.kind === 'value' || token.kind === 'field') return token.text;
  if (token.kind !== 'quoted') throw scanner.error(token.at, 'expected value or quoted');
  if (operator !== '~=' && !token.text.startsWith('"')) throw scanner.error(token.at, 'invalid quote encountered');
  return unquote(token.text) ?? fail(scanner, token.at);
}

function fail(scanner: FilterScanner, at: number): never {
  throw scanner.error(at, 'unquoting failed: quote syntax error');
}
