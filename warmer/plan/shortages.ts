/** What the plan could not place, told where the image is named. Pure. */
import { clipped, type Unresolved } from '../sources/unresolved.ts';
import type { BitSet } from './bit-set.ts';
import type { ImageTable } from './fit/image-table.ts';
import type { Demands } from './image-uses.ts';
import type { FleetLoad } from './load-fleet.ts';
import type { PlanNode, PlanOptions } from './plan-input.ts';
import type { Targets } from './targets.ts';

/** Nodes that are named one by one. */
const NODES_TOLD_MAX = 3;

interface Placing {
  readonly table: ImageTable;
  readonly targets: Targets;
  readonly load: FleetLoad;
  readonly demands: Demands;
  readonly chosen: readonly BitSet[];
  readonly options: PlanOptions;
}

export function tellShortages(placing: Placing, nodes: readonly PlanNode[]): Unresolved[] {
  return placing.table.images.flatMap(({ reference }, image) => {
    const reason = shortage(image, placing, nodes);
    if (reason === undefined) return [];
    const use = placing.demands(reference).uses[0];
    const place =
      use === undefined ? { file: '', line: 0 } : { file: use.file, line: use.line, document: use.document };
    return [{ ...place, value: clipped(reference), reason }];
  });
}

function shortage(image: number, placing: Placing, nodes: readonly PlanNode[]): string | undefined {
  const { targets, load, chosen, options } = placing;
  const obstacle = targets.obstacles.get(image);
  if (obstacle !== undefined) return `No node can run it: ${obstacle}`;
  const refused = load.refused.get(image);
  if (refused !== undefined) return `No room on ${tellNodes(refused)}`;
  if (options.mode !== 'copies' || nodes.length === 0) return undefined;
  const copies = chosen[image]?.toArray().length ?? 0;
  return copies < options.copies
    ? `Only ${copies} of ${options.copies} copies: no other node can run it and has room`
    : undefined;
}

function tellNodes(names: readonly string[]): string {
  const told = names
    .slice(0, NODES_TOLD_MAX)
    .map((name) => `"${name}"`)
    .join(', ');
  const more = names.length - NODES_TOLD_MAX;
  return more > 0 ? `${told} and ${more} more nodes` : told;
}
