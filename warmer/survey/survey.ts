/** What the sources say at one moment: what runs, what is coming, and the nodes of a cluster where one describes them. */
import type { ScaleEvent } from '../schedule/schedule.ts';
import type { Unresolved } from '../sources/unresolved.ts';
import type { Workload } from '../sources/workload.ts';
import type { ClusterNode } from './cluster-node.ts';

export interface Survey {
  readonly workloads: readonly Workload[];
  /** Within the horizon, by time. */
  readonly events: readonly ScaleEvent[];
  /** What could not be read or understood, each with its place. */
  readonly unresolved: readonly Unresolved[];
  /** From `v1 Node` objects: those of the Kubernetes API, or of a file. */
  readonly clusterNodes: readonly ClusterNode[];
}
