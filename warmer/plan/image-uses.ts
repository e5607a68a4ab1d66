/** Who uses each image, and for which event it is needed first. Pure. */
import type { ScaleEvent } from '../schedule/schedule.ts';
import type { ImageUse, Workload } from '../sources/workload.ts';
import type { PlanImage, PlanInput } from './plan-input.ts';

export interface ImageDemand {
  readonly workloads: ReadonlySet<Workload>;
  readonly uses: readonly ImageUse[];
  readonly dueMs: number | undefined;
}

interface Gathered {
  readonly workloads: Set<Workload>;
  readonly uses: ImageUse[];
  dueMs: number | undefined;
}

const NOBODY: ImageDemand = { workloads: new Set(), uses: [], dueMs: undefined };

export type Demands = (reference: string) => ImageDemand;

/** Images that only an event names (a tag not yet applied) count for the workloads that it targets. */
export function gatherDemands({ images, workloads, events }: PlanInput): Demands {
  const byReference = new Map<string, Gathered>(
    images.map(({ reference }) => [reference, { workloads: new Set(), uses: [], dueMs: undefined }]),
  );
  for (const workload of workloads) {
    for (const use of workload.images) {
      const demand = byReference.get(use.reference);
      demand?.workloads.add(workload);
      demand?.uses.push(use);
    }
  }
  for (const event of events) demandEvent(event, byReference);
  return (reference) => byReference.get(reference) ?? NOBODY;
}

function demandEvent(event: ScaleEvent, byReference: ReadonlyMap<string, Gathered>): void {
  for (const reference of event.images) {
    const demand = byReference.get(reference);
    if (demand === undefined) continue;
    demand.dueMs = Math.min(demand.dueMs ?? event.at, event.at);
    if (demand.uses.length === 0) for (const target of event.targets) demand.workloads.add(target);
  }
}

/** The most urgent first; those without an event last, by name. */
export function byUrgency(images: readonly PlanImage[], demands: Demands): PlanImage[] {
  const due = (image: PlanImage) => demands(image.reference).dueMs ?? Number.POSITIVE_INFINITY;
  return images.toSorted((a, b) => {
    const [first, second] = [due(a), due(b)];
    return first === second ? (a.reference < b.reference ? -1 : 1) : first - second;
  });
}
