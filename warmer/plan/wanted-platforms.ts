/** Before images are resolved: for which platforms each has to be. Pure. */
import type { Platform } from '../../core/oci/descriptor.ts';
import { formatPlatform } from '../../core/oci/platform.ts';
import { ImageTable } from './fit/image-table.ts';
import { gatherDemands } from './image-uses.ts';
import type { PlanInput, TargetMode } from './plan-input.ts';
import { findTargets } from './targets.ts';

/** By reference: the platforms of the nodes that the image may land on. */
export function wantedPlatforms(
  references: Iterable<string>,
  input: Pick<PlanInput, 'workloads' | 'events' | 'nodes'> & { mode: TargetMode },
): Map<string, Platform[]> {
  const images = [...new Set(references)].map((reference) => ({
    reference,
    digest: undefined,
    indexes: [],
    variants: [],
  }));
  const demands = gatherDemands({ ...input, images, unresolved: [] });
  const targets = findTargets(new ImageTable(images), demands, input);
  const names = input.nodes.map(({ platform }) => formatPlatform(platform));
  const pairs = images.map(({ reference }, image): [string, Platform[]] => {
    const found = new Map<string, Platform>();
    for (const index of targets.nodes[image]?.toArray() ?? []) {
      const platform = input.nodes[index]?.platform;
      if (platform !== undefined) found.set(names[index] ?? '', platform);
    }
    return [reference, [...found.values()]];
  });
  return new Map(pairs);
}
