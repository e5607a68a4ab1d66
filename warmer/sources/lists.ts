/** Kubernetes lists: `List`, and the typed ones that the API gives (`DeploymentList`). Pure. */
import type { PositionedNode } from './yaml/positioned.ts';

/** The objects of a list, however deep lists stand in lists; the node itself when it is none. */
export function* flattenLists(node: PositionedNode): Generator<PositionedNode> {
  const list = listOf(node);
  if (list === undefined) return yield node;
  for (const item of list.items) yield* flattenLists(typed(item, list));
}

interface List {
  readonly items: readonly PositionedNode[];
  readonly itemKind: string;
  readonly apiVersion: string | undefined;
}

function listOf(node: PositionedNode): List | undefined {
  if (node.kind !== 'map') return undefined;
  const kind = textOf(node.entries.get('kind'));
  const items = node.entries.get('items');
  if (kind?.endsWith('List') !== true || items?.kind !== 'list') return undefined;
  return {
    items: items.items,
    itemKind: kind.slice(0, -'List'.length),
    apiVersion: textOf(node.entries.get('apiVersion')),
  };
}

/** Items of typed lists do not repeat what they are. */
function typed(item: PositionedNode, { itemKind, apiVersion }: List): PositionedNode {
  if (item.kind !== 'map' || itemKind === '' || apiVersion === undefined || item.entries.has('kind')) return item;
  const { line } = item;
  const entries = new Map(item.entries);
  entries.set('apiVersion', { kind: 'scalar', line, value: apiVersion });
  entries.set('kind', { kind: 'scalar', line, value: itemKind });
  return { kind: 'map', line, entries };
}

function textOf(node: PositionedNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}
