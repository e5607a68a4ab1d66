/** How fast the mesh beats: memberlist's three presets, number for number. (memberlist `config.go`) */

export interface Timings {
  /** Deadline of one stream exchange, milliseconds (`TCPTimeout`). */
  readonly streamTimeoutMs: number;
  /** Members asked to probe for us when a probe fails. */
  readonly indirectChecks: number;
  /** A rumour is sent this often, times the decades of members. */
  readonly retransmitFactor: number;
  /** Suspicion lasts this many probe intervals, times the decades of members. */
  readonly suspicionFactor: number;
  /** Suspicion that nobody confirms lasts this much longer. */
  readonly suspicionMaxFactor: number;
  readonly pushPullIntervalMs: number;
  /** How long a direct answer is waited for. */
  readonly probeTimeoutMs: number;
  readonly probeIntervalMs: number;
  /** The health score stays below it; it scales the probe interval. */
  readonly awarenessMax: number;
  /** Members that each round of gossip goes to. */
  readonly gossipFanout: number;
  readonly gossipIntervalMs: number;
  /** A dead member is told so for this long, so that it can object; then it is forgotten. */
  readonly gossipToTheDeadMs: number;
  /**
   * After so long a dead member's name may come back with another address. memberlist leaves it to its user (Consul: 30 s);
   * shorter here, because containers come back elsewhere at once.
   */
  readonly deadReclaimMs: number;
}

export const LAN: Timings = {
  streamTimeoutMs: 10_000,
  indirectChecks: 3,
  retransmitFactor: 4,
  suspicionFactor: 4,
  suspicionMaxFactor: 6,
  pushPullIntervalMs: 30_000,
  probeTimeoutMs: 500,
  probeIntervalMs: 1_000,
  awarenessMax: 8,
  gossipFanout: 3,
  gossipIntervalMs: 200,
  gossipToTheDeadMs: 30_000,
  deadReclaimMs: 10_000,
};

export const WAN: Timings = {
  ...LAN,
  streamTimeoutMs: 30_000,
  suspicionFactor: 6,
  pushPullIntervalMs: 60_000,
  probeTimeoutMs: 3_000,
  probeIntervalMs: 5_000,
  gossipFanout: 4,
  gossipIntervalMs: 500,
  gossipToTheDeadMs: 60_000,
};

export const LOCAL: Timings = {
  ...LAN,
  streamTimeoutMs: 1_000,
  indirectChecks: 1,
  retransmitFactor: 2,
  suspicionFactor: 3,
  pushPullIntervalMs: 15_000,
  probeTimeoutMs: 200,
  probeIntervalMs: 1_000,
  gossipIntervalMs: 100,
  gossipToTheDeadMs: 15_000,
};

export const PRESETS = { lan: LAN, wan: WAN, local: LOCAL } as const;

export type PresetName = keyof typeof PRESETS;
