/** Where a pod may be put, read from a PodSpec or anything with its fields (kubernetes/api core/v1). Pure. */
import type { NodeRequirement, NodeSelectorTerm, PodConstraints, PreferredNodeTerm, Toleration } from '../workload.ts';
import { field, listField, textField, textsField } from './values.ts';

/** A pod that says nothing: it may be put on every node without taints. */
export const ANYWHERE: PodConstraints = podConstraints([]);

/** The constraints that `specs` say; a field that the first does not have is taken from the next (Argo's defaults). */
export function podConstraints(specs: readonly unknown[]): PodConstraints {
  const first = (key: string): unknown => specs.find((spec) => field(spec, key) !== undefined);
  const text = (key: string) => textField(first(key), key);
  return {
    nodeName: text('nodeName'),
    nodeSelector: textsField(first('nodeSelector'), 'nodeSelector'),
    requiredNodeTerms: requiredTerms(field(first('affinity'), 'affinity')),
    preferredNodeTerms: preferredTerms(field(first('affinity'), 'affinity')),
    tolerations: listField(first('tolerations'), 'tolerations').flatMap(tolerationOf),
    os: textField(first('os'), 'os', 'name'),
    platform: undefined,
    runtimeClassName: text('runtimeClassName'),
    imagePullSecrets: pullSecrets(specs),
    serviceAccountName: text('serviceAccountName') ?? text('serviceAccount') ?? 'default',
  };
}

/** Kruise calls them `pullSecrets`, and names them without a map. */
function pullSecrets(specs: readonly unknown[]): string[] {
  const entries = specs.flatMap((spec) => [...listField(spec, 'imagePullSecrets'), ...listField(spec, 'pullSecrets')]);
  const names = entries.map((entry) => (typeof entry === 'string' ? entry : textField(entry, 'name')));
  return [...new Set(names.filter((name) => name !== undefined && name !== ''))].filter((name) => name !== undefined);
}

function requiredTerms(affinity: unknown): NodeSelectorTerm[] | undefined {
  const required = field(affinity, 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  if (required === undefined || required === null) return undefined;
  return listField(required, 'nodeSelectorTerms').map(termOf);
}

function preferredTerms(affinity: unknown): PreferredNodeTerm[] {
  return listField(affinity, 'nodeAffinity', 'preferredDuringSchedulingIgnoredDuringExecution').map((entry) => {
    const weight = field(entry, 'weight');
    return { ...termOf(field(entry, 'preference')), weight: typeof weight === 'number' ? weight : 0 };
  });
}

function termOf(term: unknown): NodeSelectorTerm {
  return {
    labels: listField(term, 'matchExpressions').map(requirementOf),
    fields: listField(term, 'matchFields').map(requirementOf),
  };
}

function requirementOf(value: unknown): NodeRequirement {
  return {
    key: textField(value, 'key') ?? '',
    operator: textField(value, 'operator') ?? '',
    values: listField(value, 'values').filter((entry) => typeof entry === 'string'),
  };
}

function tolerationOf(value: unknown): Toleration[] {
  const operator = textField(value, 'operator') ?? 'Equal';
  // The API refuses others, so that no pod with one will ever run.
  if (operator !== 'Equal' && operator !== 'Exists') return [];
  const key = textField(value, 'key');
  if (key === undefined && operator === 'Equal') return [];
  return [{ key, operator, value: textField(value, 'value') ?? '', effect: textField(value, 'effect') }];
}
