/** The plan: which digests on which nodes, in which order, and when it has to begin. Plain data. */
import type { Digest } from '../../core/oci/digest.ts';
import type { ScaleEvent } from '../schedule/schedule.ts';
import type { Unresolved } from '../sources/unresolved.ts';
import type { ImageUse } from '../sources/workload.ts';
import type { PlanBlob } from './plan-input.ts';

export interface PlannedImage {
  readonly reference: string;
  readonly digest: Digest | undefined;
  /** Those of the target nodes: `linux/arm64`. */
  readonly platforms: readonly string[];
  /** Of all its blobs for these platforms, each once; undefined when it was not resolved. */
  readonly bytes: number | undefined;
  readonly layers: readonly PlanBlob[];
  readonly usedBy: readonly ImageUse[];
  /** The nearest event that needs it, milliseconds since the epoch. */
  readonly dueMs: number | undefined;
  readonly nodeCount: number;
  /** Of these, nodes that lack some of it. */
  readonly missingNodeCount: number;
  /** Names of nodes that should have it and have no room; not counted above. */
  readonly refusedBy: readonly string[];
}

export interface PlannedNode {
  readonly name: string;
  readonly zone: string;
  /** To be brought there, each blob once. */
  readonly bytesMissing: number;
  /** References, the most urgent first. Nodes with the same images share one list. */
  readonly images: readonly string[];
}

export interface PlannedEvent extends ScaleEvent {
  /** Seeding has to begin by then, so that all is warm `margin` before the event. */
  readonly startByMs: number;
}

/** Images that go to the same nodes for the same event. Groups stand in the order of their urgency. */
export interface SeedGroup {
  readonly dueMs: number | undefined;
  readonly images: readonly string[];
  /** Names of nodes. One wave begins when the one before it is done: one node of each zone, then twice as many each time. */
  readonly waves: readonly (readonly string[])[];
}

export interface PlanTotals {
  readonly images: number;
  /** Of all blobs that any target node needs, each once. */
  readonly uniqueBytes: number;
  /** Over all nodes. */
  readonly bytesToMove: number;
  /** What no node has yet and must come from registries, once. */
  readonly upstreamBytes: number;
}

export interface Plan {
  readonly atMs: number;
  /** The most urgent first. */
  readonly images: readonly PlannedImage[];
  readonly events: readonly PlannedEvent[];
  readonly nodes: readonly PlannedNode[];
  readonly groups: readonly SeedGroup[];
  /** With what fits nowhere and what no node can run. */
  readonly unresolved: readonly Unresolved[];
  readonly totals: PlanTotals;
}
