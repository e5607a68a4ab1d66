/** What a scenario is: an image, who pulls when over which link, and what happens to the fleet meanwhile. */
import type { Digest } from '../../../core/oci/digest.ts';
import type { FleetNode } from '../fleet-node.ts';
import type { FleetRegistry } from '../fleet-registry.ts';
import type { ScenarioName } from '../options.ts';

/**
 * `member`: measured. `straggler`: on a slow link, measured apart. `liar`: has everything before, and gives wrong bytes.
 * `killed`: ended on the way.
 */
export type Role = 'member' | 'straggler' | 'liar' | 'killed';

export interface Scenario {
  readonly name: ScenarioName;
  readonly layers: number;
  /** How long a download without a source goes on before it fails; default as the node's own. */
  readonly giveUp?: string;
  /** When a node begins, counted from the first one; default at once. */
  startsAfterMs?(index: number, count: number): number;
  /** How many nodes, the last ones, have a tenth of the link; default none. */
  stragglers?(count: number): number;
  /** Before anything is measured. */
  prepare?(stage: Stage): Promise<void>;
  /** When half of all bytes have arrived. */
  atHalf?(stage: Stage): Promise<void>;
}

/** A run as a scenario takes part in it. */
export interface Stage {
  readonly nodes: readonly FleetNode[];
  readonly registry: FleetRegistry;
  readonly layers: readonly Digest[];
  /** Makes an image of the first layers alone available. @returns its reference */
  pushFirstLayers(count: number): Promise<string>;
  /** The reference of the scenario's image. */
  readonly ref: string;
  /** Brings an image to a node. @throws Error when that fails */
  bring(node: FleetNode, ref: string): Promise<void>;
  /** Waits until every running node knows every other. */
  untilMeshed(): Promise<void>;
  /** Ends a node at once and keeps what it had counted. */
  kill(node: FleetNode): Promise<void>;
  /** Says what a node is; `member` unless said otherwise. */
  cast(node: FleetNode, role: Role): void;
}
