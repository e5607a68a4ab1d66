/**
 * Paths with wildcards, as tables and users write them: `spec.workers[].template.spec`, `spec.*ReplicaSpecs.*.image`,
 * `data["a.b"]`. Pure.
 */
import { CodedError } from '../../../core/runtime/errors.ts';
import type { ValuePath } from '../documents.ts';
import { isRecord } from './values.ts';

/** A key, every item of a list, or every key that a glob matches. */
type Step = { readonly kind: 'key'; readonly key: string } | { readonly kind: 'items' } | GlobStep;
interface GlobStep {
  readonly kind: 'keys';
  readonly glob: RegExp;
}

export type PathPattern = readonly Step[];

/** A place that a pattern leads to. */
export interface Match {
  readonly path: ValuePath;
  readonly value: unknown;
  /** What the wildcards stood for, in order. */
  readonly captures: ValuePath;
}

/** More places than this in one document are a mistake of the pattern, or of the document. */
const MATCHES_MAX = 20_000;
const PATTERN_LENGTH_MAX = 500;
const TOKEN = /\["((?:[^"\\]|\\.)*)"\]|(\[\])|(?:^|\.)([^.[\]]+)/gy;

/** "" is the value itself. @throws CodedError INVALID_ARGUMENT when the text is no path */
export function parsePattern(text: string): PathPattern {
  const tokens = text.length > PATTERN_LENGTH_MAX ? [] : [...text.matchAll(TOKEN)];
  if (text.startsWith('.') || tokens.map(([token]) => token).join('') !== text) {
    throw new CodedError('INVALID_ARGUMENT', `"${text.slice(0, 100)}" is not a path such as "spec.workers[].image"`);
  }
  return tokens.map(([, quoted, items, name = '']): Step => {
    if (items !== undefined) return { kind: 'items' };
    if (quoted !== undefined) return { kind: 'key', key: quoted.replace(/\\(.)/g, '$1') };
    return name.includes('*') ? { kind: 'keys', glob: globOf(name) } : { kind: 'key', key: name };
  });
}

/** Every place in `value` that the pattern leads to and where something stands. */
export function matchPattern(value: unknown, pattern: PathPattern): Match[] {
  let found: Match[] = [{ path: [], value, captures: [] }];
  for (const step of pattern) found = found.flatMap((match) => advance(match, step)).slice(0, MATCHES_MAX);
  return found.filter((match) => match.value !== undefined && match.value !== null);
}

/** The value at a pattern whose wildcards stand for `captures`; undefined when it is not there. */
export function valueAt(value: unknown, pattern: PathPattern, captures: ValuePath): unknown {
  const left = [...captures];
  let at = value;
  for (const step of pattern) {
    const key = step.kind === 'key' ? step.key : left.shift();
    at = key === undefined ? undefined : childOf(at, key);
  }
  return at;
}

/** `spec.template.spec.containers[0].image`; keys that would be misread are quoted. */
export function formatPath(path: ValuePath): string {
  return path
    .map((step) => {
      if (typeof step === 'number') return `[${step}]`;
      return /^[^.[\]"\s]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    })
    .join('')
    .replace(/^\./, '');
}

function advance({ path, value, captures }: Match, step: Step): Match[] {
  const to = (key: string | number, isCaptured: boolean): Match => ({
    path: [...path, key],
    value: childOf(value, key),
    captures: isCaptured ? [...captures, key] : captures,
  });
  if (step.kind === 'key') return isRecord(value) && Object.hasOwn(value, step.key) ? [to(step.key, false)] : [];
  if (step.kind === 'items') return Array.isArray(value) ? value.map((_, index) => to(index, true)) : [];
  const keys = isRecord(value) ? Object.keys(value).filter((key) => step.glob.test(key)) : [];
  return keys.map((key) => to(key, true));
}

function childOf(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) return typeof key === 'number' ? value[key] : undefined;
  return isRecord(value) && Object.hasOwn(value, key) ? value[String(key)] : undefined;
}

function globOf(name: string): RegExp {
  const parts = name.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
