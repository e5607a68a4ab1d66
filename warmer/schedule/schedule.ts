/**
 * When images will be needed: scale-outs that other controllers announce in their manifests, predicted within a horizon.
 * Knows documents and workloads; knows neither files, clusters nor the clock, which are given to it.
 */
import type { SourceDocument } from '../sources/documents.ts';
import type { Unresolved } from '../sources/unresolved.ts';
import type { Position, Workload } from '../sources/workload.ts';

/** A scale-out that is coming. The object that announces it names it. */
export interface ScaleEvent extends Position {
  /** Milliseconds since the epoch. Announcements without a time (a paused rollout) are due now. */
  readonly at: number;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** Pods that there will be; undefined when the announcement does not say. */
  readonly replicas: number | undefined;
  /** The cron expression or time range as it is written; undefined when there is none. */
  readonly schedule: string | undefined;
  readonly timezone: string | undefined;
  /** References in full, sorted, each once. */
  readonly images: readonly string[];
  /** What will be scaled, as far as the documents tell. */
  readonly targets: readonly Workload[];
  /** Where in the document the announcement stands: `spec.triggers[0].metadata.start`. */
  readonly path: string;
}

/** Where, when and with whose zones events are looked for. */
export interface ForecastOptions {
  readonly nowMs: number;
  readonly horizonMs: number;
  /** The zone of controllers whose objects name none (kube-controller-manager, Argo, Karmada). Default: UTC. */
  readonly clusterZone?: string;
  /** CronHPA's controller has `TZ` in its environment; its chart says Asia/Shanghai, which is the default here. */
  readonly cronHpaZone?: string;
  /** py-kube-downscaler's `DEFAULT_TIMEZONE`; without it a range must name its zone. */
  readonly downscalerZone?: string;
}

export interface ForecastInput {
  readonly documents: readonly SourceDocument[];
  readonly workloads: readonly Workload[];
}

export interface Forecast {
  /** By time, then by place. */
  readonly events: readonly ScaleEvent[];
  /** Announcements that cannot be understood or never come, each with its place. */
  readonly unresolved: readonly Unresolved[];
}
