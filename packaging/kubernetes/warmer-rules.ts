/**
 * What the warmer's account may read, made from the warmer's own tables of kinds: `node packaging/kubernetes/warmer-rules.ts` writes
 * the chart's `files/warmer-rules.yaml`.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ANNOUNCERS } from '../../warmer/schedule/announce/announcers.ts';
import { knownKinds } from '../../warmer/sources/extract/kinds.ts';

interface KindOfGroup {
  readonly kind: string;
  readonly group: string;
}

export const RULES_FILE = join(import.meta.dirname, 'shoal/files/warmer-rules.yaml');

/** Read besides the tables: nodes for the plan, namespaces for their annotations, accounts for the names of their pull secrets. */
const ALWAYS: readonly KindOfGroup[] = [
  { kind: 'Node', group: '' },
  { kind: 'Namespace', group: '' },
  { kind: 'ServiceAccount', group: '' },
];
/** Groups of kinds that are announced by an annotation, whatever their group: where else they are. */
const ANNOTATED: readonly KindOfGroup[] = [
  { kind: 'HorizontalPodAutoscaler', group: 'autoscaling' },
  { kind: 'Stack', group: 'zalando.org' },
];
/** A group that Kubernetes 1.22 took away. */
const GONE = new Set(['extensions']);
/** Kinds that files write without a group, and no server has. */
const FILES_ONLY = new Set(['DeploymentConfig.']);

/** The rules as YAML, in a fixed order. */
export function warmerRules(): string {
  const tables = [
    ...knownKinds(),
    ...ANNOUNCERS.flatMap(({ groups, kinds }) => groups.flatMap((group) => kinds.map((kind) => ({ kind, group })))),
  ].filter(({ group, kind }) => group !== '*' && !GONE.has(group) && !FILES_ONLY.has(`${kind}.${group}`));
  const byGroup = Map.groupBy([...ALWAYS, ...ANNOTATED, ...tables], ({ group }) => group);
  return [...byGroup]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, kinds]) => {
      const resources = [...new Set(kinds.map(({ kind }) => resourceOf(kind)))].sort();
      return `- apiGroups: ["${group}"]\n  resources: [${resources.join(', ')}]\n  verbs: [get, list, watch]\n`;
    })
    .join('');
}

/** The resource of a kind, by the rule that API machinery and generated clients name them with (apimachinery, `UnsafeGuessKindToResource`). */
export function resourceOf(kind: string): string {
  const singular = kind.toLowerCase();
  if (/(s|x|ch|sh)$/.test(singular)) return `${singular}es`;
  return singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}

if (import.meta.main) await writeFile(RULES_FILE, warmerRules());
