/** CapacityBuffer: spare nodes without pods. No image is pulled there until it is too late, and the buffer says which. */
import { field } from '../../sources/extract/values.ts';
import type { Workload } from '../../sources/workload.ts';
import { wholeField } from '../world/fields.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import { referredWorkloads } from '../world/world.ts';
import type { Announcer } from './announcement.ts';

export const announceCapacityBuffer: Announcer = (object, world) => {
  const template = field(object.value, 'spec', 'podTemplateRef');
  const key = template === undefined ? 'scalableRef' : 'podTemplateRef';
  const reference = template ?? field(object.value, 'spec', 'scalableRef');
  const targets = referredWorkloads(object, reference, { world, kind: 'PodTemplate' });
  return [{ times: [world.nowMs], replicas: bufferSize(object, targets), targets, path: ['spec', key] }];
};

/** A number, or a share of what there is; the larger when both are said. */
function bufferSize({ value }: ManifestObject, targets: readonly Workload[]): number | undefined {
  const replicas = wholeField(value, 'spec', 'replicas');
  const percentage = wholeField(value, 'spec', 'percentage');
  const present = targets[0]?.replicas;
  const share = percentage === undefined || present === undefined ? undefined : Math.ceil((present * percentage) / 100);
  return share === undefined ? replicas : Math.max(share, replicas ?? 0);
}
