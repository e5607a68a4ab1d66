/**
 * `POST /api/v1/plan`: what a warmer tells the node of its plan, for the page to show. It decides nothing. The node keeps the last one
 * in memory, until another comes or it ends. Guarded as all changes are (see proto/README.md). Answer: `{ "kept": true }`.
 * `GET /api/v1/plan`: `PlanAnswer`.
 *
 * Bounds: 2 MiB of body, 500 events, 2,000 images, 100 images an event. A warmer that has more leaves the latest events out.
 */
export interface PlanPost {
  /** ISO 8601: when the plan was made. */
  at: string;
  /** Who made it, as people know it: a host or pod name. 1 to 200 characters. */
  warmer: string;
  /** The nearest first. */
  events: PlanPostEvent[];
  /** Those of the events, and those kept warm without one. */
  images: PlanPostImage[];
  /** The last run; null before the first. */
  run: PlanPostRun | null;
}

export interface PlanPostEvent {
  /** ISO 8601: when it scales out. */
  at: string;
  /** ISO 8601: seeding has to begin by then. */
  start_by: string;
  /** What announces it: `ScaledObject`, `CronJob`, … */
  kind: string;
  namespace: string | null;
  name: string;
  /** After it; null when not known. */
  replicas: number | null;
  /** References, as in `images`. */
  images: string[];
}

export interface PlanPostImage {
  ref: string;
  digest: string | null;
  /** Of all its blobs, each once; null when it was not resolved. */
  bytes: number | null;
  /** Nodes that are to have it. */
  nodes_wanted: number;
  /** Of these, the ones that have every blob of it, proven. */
  nodes_warm: number;
}

export interface PlanPostRun {
  started_at: string;
  /** null while it runs. */
  ended_at: string | null;
  /** (node, image) pairs, by how they ended. */
  present: number;
  fetched: number;
  skipped: number;
  failed: number;
  bytes_fetched: number;
}

export interface PlanAnswer {
  /** null = no warmer has told this node anything since it started. */
  plan: (PlanPost & { received_at: string }) | null;
}
