/** One image of the plan, as it is told. Pure. */
import type { Platform } from '../../core/oci/descriptor.ts';
import { formatPlatform } from '../../core/oci/platform.ts';
import type { ImageTable, Portion } from './fit/image-table.ts';
import type { Demands } from './image-uses.ts';
import type { FleetLoad } from './load-fleet.ts';
import type { PlannedImage } from './plan.ts';
import type { PlanBlob } from './plan-input.ts';

/** @param nodePlatforms by node; nodes of one platform share one object */
export function describeImage(
  at: { image: number; table: ImageTable; load: FleetLoad; demands: Demands },
  nodePlatforms: readonly Platform[],
): PlannedImage {
  const { image, table, load, demands } = at;
  const reference = table.images[image]?.reference ?? '';
  const { uses, dueMs } = demands(reference);
  const found = new Set<Platform | undefined>();
  let nodeCount = 0;
  load.receivers[image]?.forEach((node) => {
    found.add(nodePlatforms[node]);
    nodeCount += 1;
  });
  const platforms = nodeCount === 0 ? ownPlatforms(table, image) : [...found].filter((one) => one !== undefined);
  const portions = platforms.map((platform) => ({ platform, portion: table.portionsFor(platform)[image] }));
  const known = [...new Set(portions.map(({ portion }) => portion))].filter((portion) => portion !== undefined);
  const blobs = new Set(known.flatMap((portion) => [...portion.blobs]));
  return {
    reference,
    digest: table.images[image]?.digest,
    platforms: platformNames(portions),
    bytes: table.isResolved(image) ? [...blobs].reduce((sum, blob) => sum + table.sizeOf(blob), 0) : undefined,
    layers: unique(known.flatMap(({ variant }) => variant.layers)),
    usedBy: uses,
    dueMs,
    nodeCount,
    missingNodeCount: load.missing[image]?.toArray().length ?? 0,
    refusedBy: load.refused.get(image) ?? [],
  };
}

/** What goes nowhere is told as the registry has it. */
function ownPlatforms(table: ImageTable, image: number): Platform[] {
  return (table.images[image]?.variants ?? []).flatMap(({ platform }) => platform ?? []);
}

/** The image's own platforms, where it says them; those of the nodes otherwise. */
function platformNames(portions: readonly { platform: Platform; portion: Portion | undefined }[]): string[] {
  const names = portions.map(({ platform, portion }) => formatPlatform(portion?.variant.platform ?? platform));
  return [...new Set(names)].sort();
}

function unique(blobs: readonly PlanBlob[]): PlanBlob[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}
