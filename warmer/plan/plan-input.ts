/** What a plan is made from: images with their blobs, workloads, events, nodes. Plain data; who gathers it is not known here. */
import type { Platform } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { ScaleEvent } from '../schedule/schedule.ts';
import type { Unresolved } from '../sources/unresolved.ts';
import type { Workload } from '../sources/workload.ts';

export interface PlanBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** What one platform gets of an image. */
export interface PlanVariant {
  /** undefined: any platform (an artifact, or an image that does not say). */
  readonly platform: Platform | undefined;
  readonly manifest: PlanBlob;
  readonly config: PlanBlob;
  readonly layers: readonly PlanBlob[];
}

/** A resolved image as the room of images gives it fits; one that was not resolved has a name and nothing else. */
export interface PlanImage {
  /** In full, as workloads and events name it. */
  readonly reference: string;
  /** What the tag means in this run; undefined when it was not resolved. */
  readonly digest: Digest | undefined;
  /** A pull by tag asks for them on its way to the manifest. */
  readonly indexes: readonly PlanBlob[];
  /** Empty when it was not resolved. */
  readonly variants: readonly PlanVariant[];
}

/** kubernetes/api core/v1 Taint. */
export interface Taint {
  readonly key: string;
  readonly value: string;
  /** NoSchedule, PreferNoSchedule or NoExecute. */
  readonly effect: string;
}

export interface PlanNode {
  readonly name: string;
  /** "" when it is not known. */
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly platform: Platform;
  /** Bytes that may be filled; undefined when it is not known. */
  readonly freeBytes: number | undefined;
  /** Blobs that it has, whole and proven. */
  readonly holds: Iterable<Digest>;
}

/** `all`: every node. `schedulable`: where a workload's own constraints let it run. `copies`: so many of those, over zones. */
export type TargetMode = 'all' | 'schedulable' | 'copies';

export interface PlanOptions {
  readonly nowMs: number;
  readonly mode: TargetMode;
  /** With `copies`. */
  readonly copies: number;
  /** Everything is warm so long before an event. */
  readonly marginMs: number;
  /** What the transfer is taken to last when bytes or rate are not known. */
  readonly defaultLeadMs: number;
  /** What the fleet moved in earlier runs; undefined when there was none. */
  readonly bytesPerSecond?: number | undefined;
  readonly maxBytesPerNode?: number | undefined;
}

export interface PlanInput {
  readonly images: readonly PlanImage[];
  readonly workloads: readonly Workload[];
  readonly events: readonly ScaleEvent[];
  readonly nodes: readonly PlanNode[];
  /** What the sources and the forecast could not use; it goes into the plan as it is. */
  readonly unresolved: readonly Unresolved[];
}
