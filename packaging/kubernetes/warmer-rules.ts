/**
 * What the warmer's account may read, made from the warmer's own list of kinds: `node packaging/kubernetes/warmer-rules.ts` writes
 * the chart's `files/warmer-rules.yaml`.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { wantedKinds } from '../../warmer/sources/kubernetes/listed-kinds.ts';

export const RULES_FILE = join(import.meta.dirname, 'shoal/files/warmer-rules.yaml');

/** A group that Kubernetes 1.22 took away. */
const GONE = new Set(['extensions']);
/** Kinds that files write without a group, and no server has. */
const FILES_ONLY = new Set(['DeploymentConfig.']);
/** Got by the names that pods give, never listed. */
const ACCOUNTS = '- apiGroups: [""]\n  resources: [serviceaccounts]\n  verbs: [get]\n';

/** The rules as YAML, in a fixed order. */
export function warmerRules(): string {
  const kinds = wantedKinds([]).flatMap(({ group, kind }) =>
    group === undefined || GONE.has(group) || FILES_ONLY.has(`${kind}.${group}`) ? [] : [{ group, kind }],
  );
  const lists = [...Map.groupBy(kinds, ({ group }) => group)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, members]) => {
      const resources = [...new Set(members.map(({ kind }) => resourceOf(kind)))].sort();
      return `- apiGroups: ["${group}"]\n  resources: [${resources.join(', ')}]\n  verbs: [list, watch]\n`;
    });
  return [...lists, ACCOUNTS].join('');
}

/** The resource of a kind, by the rule that API machinery and generated clients name them with (apimachinery, `UnsafeGuessKindToResource`). */
export function resourceOf(kind: string): string {
  const singular = kind.toLowerCase();
  if (/(s|x|ch|sh)$/.test(singular)) return `${singular}es`;
  return singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}

if (import.meta.main) await writeFile(RULES_FILE, warmerRules());
