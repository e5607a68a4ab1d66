/** Jobs that wait for their `suspend` to go (Kueue queues them so): they start at any time, so they are due now. */
import { field } from '../../sources/extract/values.ts';
import { isTrueField } from '../world/fields.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import { ownWorkloads } from '../world/world.ts';
import type { Announcer } from './announcement.ts';
import { parallelPods } from './cron-job.ts';

export const announceSuspended: Announcer = (object, world) => {
  if (!isTrueField(object.value, 'spec', 'suspend')) return [];
  const targets = ownWorkloads(object, world);
  return [{ times: [world.nowMs], replicas: podsOf(object, targets), targets, path: ['spec', 'suspend'] }];
};

function podsOf({ kind, value }: ManifestObject, targets: readonly { replicas: number | undefined }[]): number {
  if (kind === 'Job') return parallelPods(field(value, 'spec'));
  return targets.reduce((total, { replicas }) => total + (replicas ?? 1), 0);
}
