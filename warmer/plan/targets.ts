/** Which nodes each image goes to, before their room is looked at. Pure. */
import type { Workload } from '../sources/workload.ts';
import { BitSet } from './bit-set.ts';
import type { ImageTable } from './fit/image-table.ts';
import type { Demands } from './image-uses.ts';
import type { Obstacle } from './nodes/can-run.ts';
import { CandidateFinder } from './nodes/candidates.ts';
import type { PlanNode, TargetMode } from './plan-input.ts';

export interface Targets {
  /** By image: numbers of nodes. */
  readonly nodes: readonly BitSet[];
  /** By image: how much each node is liked; undefined when all are the same. */
  readonly preferences: readonly (Int32Array | undefined)[];
  /** By image that no node can take: what keeps it off, with the number of nodes. */
  readonly obstacles: ReadonlyMap<number, string>;
}

export function findTargets(
  table: ImageTable,
  demands: Demands,
  fleet: { nodes: readonly PlanNode[]; mode: TargetMode },
): Targets {
  const finder = new CandidateFinder(fleet.nodes);
  const obstacles = new Map<number, string>();
  const preferences: (Int32Array | undefined)[] = [];
  const nodes = table.images.map(({ reference }, image) => {
    const { workloads } = demands(reference);
    // An image that nobody's pod uses has nobody's constraints.
    const isAnywhere = fleet.mode === 'all' || workloads.size === 0;
    const willing = isAnywhere
      ? everyNode(fleet.nodes.length)
      : willingNodes(workloads, { finder, size: fleet.nodes.length });
    preferences.push(isAnywhere ? undefined : preferenceOf(workloads, finder));
    const found = withPlatform({ image, willing, table }, fleet.nodes);
    if (found.isEmpty && fleet.nodes.length > 0) {
      obstacles.set(image, isAnywhere || !willing.isEmpty ? NO_PLATFORM : tellObstacles(workloads, finder));
    }
    return found;
  });
  return { nodes, preferences, obstacles };
}

const NO_PLATFORM = 'the image has nothing for the platform of any node that may run it';

function everyNode(count: number): BitSet {
  const nodes = new BitSet(count);
  for (let index = 0; index < count; index += 1) nodes.add(index);
  return nodes;
}

function willingNodes(
  workloads: ReadonlySet<Workload>,
  { finder, size }: { finder: CandidateFinder; size: number },
): BitSet {
  const nodes = new BitSet(size);
  for (const workload of workloads) nodes.addAll(finder.of(workload).nodes);
  return nodes;
}

/** An image that was not resolved is planned for all willing nodes: which platforms it has is not known. */
function withPlatform(what: { image: number; willing: BitSet; table: ImageTable }, nodes: readonly PlanNode[]): BitSet {
  const { image, willing, table } = what;
  if (!table.isResolved(image)) return willing;
  const found = new BitSet(nodes.length);
  willing.forEach((index) => {
    const node = nodes[index];
    if (node !== undefined && table.portionsFor(node.platform)[image] !== undefined) found.add(index);
  });
  return found;
}

/** The likings of several workloads add up. */
function preferenceOf(workloads: ReadonlySet<Workload>, finder: CandidateFinder): Int32Array | undefined {
  const said = [...workloads].map((workload) => finder.of(workload).preferences).filter((one) => one !== undefined);
  const [first, ...others] = new Set(said);
  if (first === undefined || others.length === 0) return first;
  return first.map((weight, node) => others.reduce((sum, one) => sum + (one[node] ?? 0), weight));
}

function tellObstacles(workloads: ReadonlySet<Workload>, finder: CandidateFinder): string {
  const counts = new Map<Obstacle, number>();
  for (const workload of workloads) {
    for (const [obstacle, count] of finder.of(workload).obstacles) {
      counts.set(obstacle, Math.max(counts.get(obstacle) ?? 0, count));
    }
  }
  return [...counts]
    .map(([obstacle, count]) => `${obstacle} keeps it off ${count} ${count === 1 ? 'node' : 'nodes'}`)
    .join(', ');
}
