/** A `v1 Node`, from the Kubernetes API or from a file: what decides which pods it takes (kubernetes/api core/v1). Pure. */
import type { Platform } from '../../core/oci/descriptor.ts';
import { normalizePlatform } from '../../core/oci/platform.ts';
import type { Taint } from '../plan/plan-input.ts';
import type { SourceDocument } from '../sources/documents.ts';
import { field, listField, textField, textsField } from '../sources/extract/values.ts';

export interface ClusterNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** undefined when neither its status nor its labels say it. */
  readonly platform: Platform | undefined;
}

/** Cordoned: the scheduler puts nothing there (node controller, `TaintNodeUnschedulable`). */
const CORDONED: Taint = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

/** Taints of ours (the chart's startup taint): they wait for the very plan that is made here, so they must not keep anything out of it. */
const OURS = 'shoal.dev/';

/** undefined for any other document. */
export function clusterNodeOf({ value }: SourceDocument): ClusterNode | undefined {
  const name = textField(value, 'metadata', 'name');
  const isNode = textField(value, 'apiVersion') === 'v1' && textField(value, 'kind') === 'Node';
  if (!isNode || name === undefined) return undefined;
  const labels = textsField(value, 'metadata', 'labels');
  return { name, labels, taints: taintsOf(value), platform: platformOf(value, labels) };
}

function taintsOf(node: unknown): Taint[] {
  const taints = listField(node, 'spec', 'taints').flatMap((taint): Taint[] => {
    const [key, effect] = [textField(taint, 'key'), textField(taint, 'effect')];
    return key === undefined || effect === undefined || key.startsWith(OURS)
      ? []
      : [{ key, effect, value: textField(taint, 'value') ?? '' }];
  });
  const isTold = taints.some(({ key }) => key === CORDONED.key);
  return field(node, 'spec', 'unschedulable') === true && !isTold ? [...taints, CORDONED] : taints;
}

function platformOf(node: unknown, labels: Readonly<Record<string, string>>): Platform | undefined {
  const os = textField(node, 'status', 'nodeInfo', 'operatingSystem') ?? labels['kubernetes.io/os'] ?? 'linux';
  const architecture = textField(node, 'status', 'nodeInfo', 'architecture') ?? labels['kubernetes.io/arch'];
  return architecture === undefined ? undefined : normalizePlatform({ os, architecture });
}
