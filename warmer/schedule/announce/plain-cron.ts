/** Objects with one `schedule`, one `timeZone` and their templates inside: Kruise's AdvancedCronJob, KubeRay's RayCronJob. */
import { field, textField } from '../../sources/extract/values.ts';
import { STANDARD_DIALECT } from '../cron/cron-dialect.ts';
import { isTrueField, timeField } from '../world/fields.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import { ownWorkloads } from '../world/world.ts';
import { type Announcer, attempt, refused } from './announcement.ts';
import { parallelPods } from './cron-job.ts';
import { cronTimes } from './cron-times.ts';

interface PlainCron {
  /** The key that holds it back when true. */
  readonly pausedBy: string;
  readonly mayNameZoneInSchedule: boolean;
  readonly replicasOf: (object: ManifestObject) => number | undefined;
}

/** A BroadcastJob puts one pod on every node: no number is known here. */
export const announceAdvancedCronJob = plainCron({
  pausedBy: 'paused',
  mayNameZoneInSchedule: true,
  replicasOf: ({ value }) => {
    const job = field(value, 'spec', 'template', 'jobTemplate', 'spec');
    return job === undefined ? undefined : parallelPods(job);
  },
});

export const announceRayCronJob = plainCron({
  pausedBy: 'suspend',
  mayNameZoneInSchedule: false,
  replicasOf: () => undefined,
});

function plainCron(row: PlainCron): Announcer {
  return (object, world) => {
    if (isTrueField(object.value, 'spec', row.pausedBy)) return [];
    const path = ['spec', 'schedule'];
    return attempt({ path, value: field(object.value, ...path) }, () => {
      const expression = textField(object.value, ...path);
      if (expression === undefined) throw refused('"schedule" is missing');
      if (!row.mayNameZoneInSchedule && expression.includes('TZ')) {
        throw refused('TZ is not allowed in "schedule", the zone goes into "timeZone"');
      }
      const zone = textField(object.value, 'spec', 'timeZone') ?? world.zones.cluster;
      const delayFromMs = timeField(object.value, 'status', 'lastScheduleTime');
      const told = cronTimes({ expression, dialect: STANDARD_DIALECT, zone, delayFromMs }, world);
      return [{ ...told, targets: ownWorkloads(object, world), replicas: row.replicasOf(object), path }];
    });
  };
}
