/** Kubernetes' CronJob (kubernetes/api `batch/v1`, its validation and controller). */
import { field, textField } from '../../sources/extract/values.ts';
import { STANDARD_DIALECT } from '../cron/cron-dialect.ts';
import { parseCron } from '../cron/cron-parser.ts';
import { nextTime } from '../cron/next-time.ts';
import { isTrueField, timeField, wholeField } from '../world/fields.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import { ownWorkloads, type World } from '../world/world.ts';
import { type Announcer, attempt, refused } from './announcement.ts';
import { cronTimes } from './cron-times.ts';

const SECOND_MS = 1000;
/** The controller counts missed runs up to this and gives up beyond. */
const MISSED_RUNS_MAX = 100;

export const announceCronJob: Announcer = (object, world) => {
  if (isTrueField(object.value, 'spec', 'suspend')) return [];
  const path = ['spec', 'schedule'];
  const zonePath = ['spec', 'timeZone'];
  const given = field(object.value, 'spec', 'timeZone');
  const zone = attempt({ path: zonePath, value: given }, () => {
    checkTimeZone(given);
    return [];
  });
  if (zone.length > 0) return zone;
  return attempt({ path, value: field(object.value, 'spec', 'schedule') }, () => {
    const plan = { expression: expressionOf(object), dialect: STANDARD_DIALECT, zone: zoneOf(object, world) };
    const { times, ...told } = cronTimes({ ...plan, delayFromMs: lastRun(object) }, world);
    const missed = isMissedRunDue(plan, object, world) ? [world.nowMs] : [];
    const replicas = parallelPods(field(object.value, 'spec', 'jobTemplate', 'spec'));
    return [{ ...told, times: [...missed, ...times], targets: ownWorkloads(object, world), replicas, path }];
  });
};

/** Pods of a Job that run at once. */
export function parallelPods(jobSpec: unknown): number {
  const parallelism = wholeField(jobSpec, 'parallelism') ?? 1;
  return Math.min(parallelism, wholeField(jobSpec, 'completions') ?? parallelism);
}

function expressionOf({ value, isLive }: ManifestObject): string {
  const expression = textField(value, 'spec', 'schedule');
  if (expression === undefined) throw refused('"schedule" is missing');
  // A live object may still carry a zone from before the API refused it there.
  if (expression.includes('TZ') && (!isLive || field(value, 'spec', 'timeZone') !== undefined)) {
    throw refused('A CronJob cannot have TZ or CRON_TZ in "schedule", its zone goes into "timeZone"');
  }
  return expression;
}

function checkTimeZone(given: unknown): void {
  if (given === undefined || given === null) return;
  const isName = typeof given === 'string' && given.split('/').every((part) => /^[A-Za-z.\-_0-9+]{1,14}$/.test(part));
  if (!isName || given.toLowerCase() === 'local') throw refused('"timeZone" is no name of a time zone');
}

function zoneOf({ value }: ManifestObject, world: World): string {
  return textField(value, 'spec', 'timeZone') ?? world.zones.cluster;
}

function lastRun({ value }: ManifestObject): number | undefined {
  return timeField(value, 'status', 'lastScheduleTime') ?? timeField(value, 'metadata', 'creationTimestamp');
}

/** A live CronJob whose last run is older than its schedule starts at once, unless the deadline has passed. */
function isMissedRunDue(plan: { expression: string; zone: string }, object: ManifestObject, world: World): boolean {
  const last = timeField(object.value, 'status', 'lastScheduleTime');
  if (last === undefined || last >= world.nowMs) return false;
  const deadline = wholeField(object.value, 'spec', 'startingDeadlineSeconds');
  const schedule = parseCron(plan.expression, STANDARD_DIALECT);
  const since = deadline === undefined ? last : Math.max(last, world.nowMs - deadline * SECOND_MS);
  let missed = 0;
  let at = nextTime(schedule, since, plan.zone);
  while (at !== undefined && at <= world.nowMs && missed <= MISSED_RUNS_MAX) {
    missed += 1;
    at = nextTime(schedule, at, plan.zone);
  }
  return missed > 0 && missed <= MISSED_RUNS_MAX;
}
