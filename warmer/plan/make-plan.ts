/**
 * Makes the plan. Pure: no file, no socket, no clock, no chance. Reads as the order of the decisions: who needs what and how soon,
 * where it may go, what fits, in which waves, and by when it has to begin.
 */
import type { Platform } from '../../core/oci/descriptor.ts';
import { startBy } from '../schedule/start-by.ts';
import type { ScaleEvent } from '../schedule/schedule.ts';
import { ImageTable } from './fit/image-table.ts';
import { byUrgency, gatherDemands } from './image-uses.ts';
import { type FleetLoad, loadFleet, roomOn } from './load-fleet.ts';
import type { Plan, PlannedEvent, PlannedImage, PlannedNode } from './plan.ts';
import type { PlanInput, PlanNode, PlanOptions } from './plan-input.ts';
import { describeImage } from './planned-image.ts';
import { seedGroups } from './seed-groups.ts';
import { tellShortages } from './shortages.ts';
import { spreadCopies } from './spread/copies.ts';
import { hashText } from './spread/rendezvous.ts';
import type { Placed } from './spread/zone-order.ts';
import { findTargets, type Targets } from './targets.ts';

export function makePlan(input: PlanInput, options: PlanOptions): Plan {
  const demands = gatherDemands(input);
  const table = new ImageTable(byUrgency(input.images, demands));
  const placed = input.nodes.map(({ name, zone }, index): Placed => ({ index, name, zone, hash: hashText(name) }));
  const targets = findTargets(table, demands, { nodes: input.nodes, mode: options.mode });
  const chosen = chooseNodes({ table, targets, placed }, input.nodes, options);
  const load = loadFleet(table, chosen, { nodes: input.nodes, maxBytesPerNode: options.maxBytesPerNode });
  const platforms = sharedPlatforms(input.nodes);
  const images = table.images.map((_, image) => describeImage({ image, table, load, demands }, platforms));
  return {
    atMs: options.nowMs,
    images,
    events: planEvents(input.events, { images, load }, options),
    nodes: describeNodes(input.nodes, load, images),
    groups: seedGroups({ images, load, placed }),
    unresolved: [
      ...input.unresolved,
      ...tellShortages({ table, targets, load, demands, chosen, options }, input.nodes),
    ],
    totals: totalsOf(table, load, images),
  };
}

function chooseNodes(
  { table, targets, placed }: { table: ImageTable; targets: Targets; placed: readonly Placed[] },
  nodes: readonly PlanNode[],
  options: PlanOptions,
) {
  if (options.mode !== 'copies') return targets.nodes;
  const roomOf = (node: PlanNode) => roomOn(node, options.maxBytesPerNode);
  return spreadCopies(table, targets, { nodes, placed, copies: options.copies, roomOf });
}

/** By node, one object for all nodes of a platform. */
function sharedPlatforms(nodes: readonly PlanNode[]): Platform[] {
  const known = new Map<string, Platform>();
  return nodes.map(({ platform }) => {
    const key = JSON.stringify(platform);
    const shared = known.get(key) ?? platform;
    known.set(key, shared);
    return shared;
  });
}

/** Times of one schedule share their list of images, so it is summed up once. */
function planEvents(
  events: readonly ScaleEvent[],
  { images, load }: { images: readonly PlannedImage[]; load: FleetLoad },
  options: PlanOptions,
): PlannedEvent[] {
  const numbers = new Map(images.map(({ reference }, image) => [reference, image]));
  const sums = new Map<readonly string[], number | undefined>();
  const bytesOf = (references: readonly string[]) => {
    let bytes: number | undefined = 0;
    for (const reference of references) {
      const image = numbers.get(reference);
      const missing = image === undefined || images[image]?.bytes === undefined ? undefined : load.missingBytes[image];
      bytes = bytes === undefined || missing === undefined ? undefined : bytes + missing;
    }
    return bytes;
  };
  return events.map((event) => {
    if (!sums.has(event.images)) sums.set(event.images, bytesOf(event.images));
    const lead = { ...options, bytesPerSecond: options.bytesPerSecond, bytesMissing: sums.get(event.images) };
    return { ...event, startByMs: startBy(event.at, lead) };
  });
}

function describeNodes(nodes: readonly PlanNode[], load: FleetLoad, images: readonly PlannedImage[]): PlannedNode[] {
  const lists = new Map<string, string[]>();
  return nodes.map(({ name, zone }, index) => {
    const taken = load.images[index];
    const key = taken?.key() ?? '';
    const list = lists.get(key) ?? taken?.toArray().flatMap((image) => images[image]?.reference ?? []) ?? [];
    lists.set(key, list);
    return { name, zone, bytesMissing: load.bytesMissing[index] ?? 0, images: list };
  });
}

function totalsOf(table: ImageTable, load: FleetLoad, images: readonly PlannedImage[]): Plan['totals'] {
  const sum = (blobs: readonly number[]) => blobs.reduce((total, blob) => total + table.sizeOf(blob), 0);
  return {
    images: images.length,
    uniqueBytes: sum(load.blobsNeeded.toArray()),
    bytesToMove: load.bytesMissing.reduce((total, bytes) => total + bytes, 0),
    upstreamBytes: sum(load.blobsToMove.toArray().filter((blob) => !load.blobsHeld.has(blob))),
  };
}
