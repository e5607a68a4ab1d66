/** Which nodes each workload may use. Workloads with the same constraints are asked about once. */
import type { Workload } from '../../sources/workload.ts';
import { BitSet } from '../bit-set.ts';
import type { PlanNode } from '../plan-input.ts';
import { type Obstacle, obstacleFor, preferenceFor } from './can-run.ts';

export interface Candidates {
  /** Indexes of nodes. */
  readonly nodes: BitSet;
  /** How many nodes each obstacle keeps off. */
  readonly obstacles: ReadonlyMap<Obstacle, number>;
  /** By node; undefined when no node is liked more than another. */
  readonly preferences: Int32Array | undefined;
}

export class CandidateFinder {
  readonly #nodes: readonly PlanNode[];
  readonly #found = new Map<string, Candidates>();

  constructor(nodes: readonly PlanNode[]) {
    this.#nodes = nodes;
  }

  of(workload: Workload): Candidates {
    const key = constraintKey(workload);
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const candidates = this.#find(workload);
    this.#found.set(key, candidates);
    return candidates;
  }

  #find(workload: Workload): Candidates {
    const nodes = new BitSet(this.#nodes.length);
    const obstacles = new Map<Obstacle, number>();
    this.#nodes.forEach((node, index) => {
      const obstacle = obstacleFor(workload, node);
      if (obstacle === undefined) nodes.add(index);
      else obstacles.set(obstacle, (obstacles.get(obstacle) ?? 0) + 1);
    });
    const preferences = Int32Array.from(this.#nodes, (node) => preferenceFor(workload, node));
    const hasChoice = preferences.some((preference) => preference !== preferences[0]);
    return { nodes, obstacles, preferences: hasChoice ? preferences : undefined };
  }
}

function constraintKey({ kind, pod }: Workload): string {
  const { nodeName, nodeSelector, requiredNodeTerms, preferredNodeTerms, tolerations, os, platform } = pod;
  const selector = Object.entries(nodeSelector).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    kind === 'DaemonSet',
    nodeName,
    selector,
    requiredNodeTerms,
    preferredNodeTerms,
    tolerations,
    os,
    platform,
  ]);
}
