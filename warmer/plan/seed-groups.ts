/** Images that go to the same nodes for the same event are seeded together, in waves. Pure. */
import type { FleetLoad } from './load-fleet.ts';
import type { PlannedImage, SeedGroup } from './plan.ts';
import { makeWaves } from './spread/waves.ts';
import type { Placed } from './spread/zone-order.ts';

export function seedGroups(of: {
  images: readonly PlannedImage[];
  load: FleetLoad;
  placed: readonly Placed[];
}): SeedGroup[] {
  const { images, load, placed } = of;
  // Images stand in the order of their urgency, and so do groups by the first image of each.
  const groups = Map.groupBy(images.keys(), (image) => {
    const { missing, holders } = load;
    return `${images[image]?.dueMs ?? ''} ${missing[image]?.key() ?? ''}/${holders[image]?.key() ?? ''}`;
  });
  return [...groups.values()].flatMap((members) => {
    const [first = 0] = members;
    const nodesOf = (set: FleetLoad['missing']) =>
      (set[first]?.toArray() ?? []).flatMap((index) => placed[index] ?? []);
    const missing = nodesOf(load.missing);
    if (missing.length === 0) return [];
    const references = members.flatMap((image) => images[image]?.reference ?? []);
    const waves = makeWaves(missing, nodesOf(load.holders), references[0] ?? '');
    return [{ dueMs: images[first]?.dueMs, images: references, waves }];
  });
}
