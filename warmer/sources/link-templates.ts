/**
 * Workloads whose template stands in another object: a Rollout's `workloadRef`, a workflow's template, a serving
 * runtime, a capacity buffer's pods. Known only once everything has been read. Pure.
 */
import { groupOf } from './extract/kinds.ts';
import type { Unresolved } from './unresolved.ts';
import type { ObjectReference, Workload } from './workload.ts';

/** A reference that leads to a reference that leads to … */
const STEPS_MAX = 8;

export interface LinkedWorkloads {
  readonly workloads: readonly Workload[];
  /** References that lead to nothing that any source has. */
  readonly unresolved: readonly Unresolved[];
}

/**
 * The workloads with their references followed: each gets the images and, where it says nothing itself, the constraints
 * of what it names. A name of several templates makes several workloads of one.
 */
export function linkTemplates(workloads: readonly Workload[]): LinkedWorkloads {
  const byName = new Map<string, Workload[]>();
  for (const workload of workloads) {
    const key = keyOf(groupOf(workload.apiVersion), workload.kind, workload.namespace, workload.name ?? '');
    const known = byName.get(key);
    if (known === undefined) byName.set(key, [workload]);
    else known.push(workload);
  }
  const unresolved: Unresolved[] = [];
  const linked = workloads.flatMap((workload) => linkOne(workload, byName, unresolved));
  return { workloads: linked, unresolved };
}

function linkOne(
  workload: Workload,
  byName: ReadonlyMap<string, readonly Workload[]>,
  unresolved: Unresolved[],
): Workload[] {
  const { templateFrom } = workload;
  if (templateFrom === undefined) return [workload];
  const templates = follow(templateFrom, byName, 0).filter((template) => template !== workload);
  if (templates.length > 0) return templates.map((template) => withTemplate(workload, template));
  const { file, document, line } = workload;
  const { kind, name } = templateFrom;
  const reason = `Its template is that of ${kind} "${name}", which no source has`;
  unresolved.push({ file, document, line, value: name, reason });
  return [workload];
}

/** The workloads of an object, through references of its own. */
function follow(
  reference: ObjectReference,
  byName: ReadonlyMap<string, readonly Workload[]>,
  steps: number,
): readonly Workload[] {
  const found =
    keysOf(reference)
      .map((key) => byName.get(key))
      .find((one) => one !== undefined) ?? [];
  return found.flatMap((workload) => {
    if (workload.templateFrom === undefined || steps >= STEPS_MAX) return workload.images.length > 0 ? [workload] : [];
    return [...(workload.images.length > 0 ? [workload] : []), ...follow(workload.templateFrom, byName, steps + 1)];
  });
}

/** In the workload's namespace; else cluster-wide, under the same name or that of the cluster's kind. */
function keysOf({ group, kind, namespace, name }: ObjectReference): string[] {
  const clusterKind = kind.startsWith('Cluster') ? kind : `Cluster${kind}`;
  const keys = [keyOf(group, kind, namespace, name), keyOf(group, kind, undefined, name)];
  return [...keys, keyOf(group, clusterKind, namespace, name), keyOf(group, clusterKind, undefined, name)];
}

function keyOf(group: string | undefined, kind: string, namespace: string | undefined, name: string): string {
  return JSON.stringify([group ?? '', kind, namespace ?? 'default', name]);
}

function withTemplate(workload: Workload, template: Workload): Workload {
  const { pod } = workload;
  const saysNothing = Object.keys(pod.nodeSelector).length === 0 && pod.requiredNodeTerms === undefined;
  const images = new Map(
    [...workload.images, ...template.images].map((use) => [`${use.file} ${use.line} ${use.path}`, use]),
  );
  return {
    ...workload,
    images: [...images.values()],
    template: workload.template === '' ? template.template : workload.template,
    pod: saysNothing && pod.tolerations.length === 0 ? { ...template.pod, ...secretsOf(workload, template) } : pod,
  };
}

function secretsOf({ pod }: Workload, template: Workload): { imagePullSecrets: readonly string[] } {
  return { imagePullSecrets: [...new Set([...pod.imagePullSecrets, ...template.pod.imagePullSecrets])] };
}
