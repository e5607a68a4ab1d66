/** The table of kinds: which objects have pods, and where. */
import type { KindRow } from './kind-row.ts';
import { KUBERNETES_KINDS } from './kinds-kubernetes.ts';
import { LEARNING_KINDS } from './kinds-learning.ts';
import { WORKFLOW_KINDS } from './kinds-workflows.ts';

const TABLE: readonly KindRow[] = [...KUBERNETES_KINDS, ...WORKFLOW_KINDS, ...LEARNING_KINDS];

const ROWS: ReadonlyMap<string, KindRow> = new Map(
  TABLE.flatMap((row) => row.kinds.flatMap((kind) => row.groups.map((group) => [keyOf(kind, group), row] as const))),
);

/** The row of a kind; undefined for one that we do not know. */
export function rowOf(kind: string, apiVersion: string): KindRow | undefined {
  return ROWS.get(keyOf(kind, groupOf(apiVersion)));
}

/** `apps/v1` is of the group `apps`, `v1` of the core. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** Every kind of the table with its groups, for documentation and tests. */
export function knownKinds(): { kind: string; group: string }[] {
  return TABLE.flatMap(({ kinds, groups }) => kinds.flatMap((kind) => groups.map((group) => ({ kind, group }))));
}

function keyOf(kind: string, group: string): string {
  return `${kind}.${group}`;
}
