/** Values of compose files that know their file and line, with variables filled in. Pure. */
import type { PositionedNode, Scalar } from '../yaml/positioned.ts';
import { interpolate, type Variables } from './interpolate.ts';

export interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

export type ComposeNode = Place &
  (
    | { readonly kind: 'scalar'; readonly value: Scalar; readonly raw: Scalar; readonly problem?: string }
    | { readonly kind: 'list'; readonly items: readonly ComposeNode[] }
    | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, ComposeNode> }
  );

/** The values of one file; keys are left as they are, as compose does. */
export function composeNode(node: PositionedNode, file: string, variables: Variables): ComposeNode {
  const { line } = node;
  const inner = (child: PositionedNode) => composeNode(child, file, variables);
  switch (node.kind) {
    case 'list':
      return { file, line, kind: 'list', items: node.items.map(inner) };
    case 'map':
      return {
        file,
        line,
        kind: 'map',
        entries: new Map([...node.entries].map(([key, child]) => [key, inner(child)])),
      };
    case 'scalar':
      return { file, line, kind: 'scalar', ...scalarOf(node.value, variables) };
  }
}

function scalarOf(raw: Scalar, variables: Variables): { value: Scalar; raw: Scalar; problem?: string } {
  if (typeof raw !== 'string') return { value: raw, raw };
  const { text, problem } = interpolate(raw, variables);
  return { value: text, raw, ...(problem !== undefined && { problem }) };
}

export function entry(node: ComposeNode | undefined, ...keys: readonly string[]): ComposeNode | undefined {
  let at = node;
  for (const key of keys) at = at?.kind === 'map' ? at.entries.get(key) : undefined;
  return at;
}

export function entriesOf(node: ComposeNode | undefined): [string, ComposeNode][] {
  return node?.kind === 'map' ? [...node.entries] : [];
}

/** The items of a list; a value that stands where a list may stand is a list of one. */
export function itemsOf(node: ComposeNode | undefined): readonly ComposeNode[] {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return [];
  return node.kind === 'list' ? node.items : [node];
}

/** A text that is not empty. */
export function textOf(node: ComposeNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' && node.value !== '' ? node.value : undefined;
}

/** A number, also one that came out of a variable. */
export function numberOf(node: ComposeNode | undefined): number | undefined {
  const value = node?.kind === 'scalar' ? node.value : undefined;
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' ? number : undefined;
}

/**
 * What a later file makes of an earlier one (compose-spec, "Merge"): maps key by key, lists one after the other, mounts
 * by their target; anything else is replaced.
 */
export function merged(base: ComposeNode, over: ComposeNode): ComposeNode {
  if (base.kind === 'map' && over.kind === 'map')
    return { ...over, entries: mergedEntries(base.entries, over.entries) };
  if (base.kind !== 'list' || over.kind !== 'list') return over.kind === 'scalar' && over.value === null ? base : over;
  const targets = new Set(over.items.map(targetOf).filter((target) => target !== undefined));
  const kept = base.items.filter((item) => !targets.has(targetOf(item) ?? ''));
  return { ...over, items: [...kept, ...over.items] };
}

function mergedEntries(
  base: ReadonlyMap<string, ComposeNode>,
  over: ReadonlyMap<string, ComposeNode>,
): Map<string, ComposeNode> {
  const entries = new Map(base);
  for (const [key, child] of over) {
    const below = entries.get(key);
    entries.set(key, below === undefined ? child : merged(below, child));
  }
  return entries;
}

function targetOf(mount: ComposeNode): string | undefined {
  return textOf(entry(mount, 'target'));
}
