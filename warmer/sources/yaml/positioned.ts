/**
 * Values that remember their lines, as readers make them; and the compact document that is kept of them: plain values
 * and two numbers for each. Pure.
 */
import { CodedError } from '../../../core/runtime/errors.ts';
import type { SourceDocument, ValuePath } from '../documents.ts';

export type Scalar = string | number | boolean | null;

/** `line` is 1-based. */
export type PositionedNode = { readonly line: number } & (
  | { readonly kind: 'scalar'; readonly value: Scalar }
  | { readonly kind: 'list'; readonly items: readonly PositionedNode[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, PositionedNode> }
);

/** Something in a text cannot be read, at a line. */
export class PositionedError extends CodedError {
  override readonly name = 'PositionedError';
  readonly line: number;

  constructor(message: string, line: number, options?: { cause?: unknown }) {
    super('INVALID_ARGUMENT', message, options);
    this.line = line;
  }
}

/**
 * The document of a node. Lines are kept in the order of a walk through the value, with where each value's own part of
 * the walk ends: eight bytes for each value.
 */
export function documentOf(node: PositionedNode, place: { file: string; document: number }): SourceDocument {
  const lines: number[] = [];
  const ends: number[] = [];
  const value = emit(node, lines, ends);
  return new FlatDocument({ ...place, value, lines: Int32Array.from(lines), ends: Int32Array.from(ends) });
}

interface FlatParts {
  readonly file: string;
  readonly document: number;
  readonly value: unknown;
  readonly lines: Int32Array;
  readonly ends: Int32Array;
}

class FlatDocument implements SourceDocument {
  readonly file: string;
  readonly document: number;
  readonly value: unknown;
  readonly #lines: Int32Array;
  readonly #ends: Int32Array;

  constructor(parts: FlatParts) {
    this.file = parts.file;
    this.document = parts.document;
    this.value = parts.value;
    this.#lines = parts.lines;
    this.#ends = parts.ends;
  }

  lineOf(path: ValuePath): number {
    let at = 0;
    let value = this.value;
    for (const step of path) {
      const position = positionOf(value, step);
      if (position === undefined) break;
      at += 1;
      for (let sibling = 0; sibling < position; sibling += 1) at = this.#ends[at] ?? at;
      value = childOf(value, step);
    }
    return this.#lines[at] ?? 1;
  }
}

function emit(node: PositionedNode, lines: number[], ends: number[]): unknown {
  const at = lines.push(node.line) - 1;
  ends.push(0);
  const value = emitValue(node, lines, ends);
  ends[at] = lines.length;
  return value;
}

function emitValue(node: PositionedNode, lines: number[], ends: number[]): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map((item) => emit(item, lines, ends));
  const record: Record<string, unknown> = {};
  // All keys first: JavaScript has its own order for keys that look like numbers, and the walk must follow it.
  for (const key of node.entries.keys()) define(record, key, null);
  for (const key of Object.keys(record)) {
    const child = node.entries.get(key);
    if (child !== undefined) define(record, key, emit(child, lines, ends));
  }
  return record;
}

/** A plain assignment to `__proto__` would not make a key. */
function define(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') record[key] = value;
  else Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Which child of `value` a step leads to; undefined when there is none. */
function positionOf(value: unknown, step: string | number): number | undefined {
  if (Array.isArray(value)) return typeof step === 'number' && step in value ? step : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const position = Object.keys(value).indexOf(String(step));
  return position < 0 ? undefined : position;
}

function childOf(value: unknown, step: string | number): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
}
