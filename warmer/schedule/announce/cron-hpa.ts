/**
 * Alibaba's CronHorizontalPodAutoscaler (AliyunContainerService/kubernetes-cronhpa-controller, ringtail/go-cron): six fields,
 * `@date` without its year, days that are left out.
 */
import { field, listField, textField } from '../../sources/extract/values.ts';
import { CRON_HPA_DIALECT } from '../cron/cron-dialect.ts';
import { parseCron } from '../cron/cron-parser.ts';
import { nextTime } from '../cron/next-time.ts';
import { zoneOffsetMs } from '../cron/zone-offset.ts';
import { isTrueField, timeField, wholeField } from '../world/fields.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import { referredWorkloads, type World } from '../world/world.ts';
import { type Announcer, attempt, type Finding, refused } from './announcement.ts';
import { cronTimes } from './cron-times.ts';
import { scaleOuts } from './sized-jobs.ts';

const DAY_MS = 86_400_000;

export const announceCronHpa: Announcer = (object, world) => {
  const jobs = listField(object.value, 'spec', 'jobs');
  const isScaleOut = scaleOuts(jobs.map((job) => wholeField(job, 'targetSize')));
  const excluded = excludedDays(object, world);
  const found = jobs.flatMap((job, index) => {
    const path = ['spec', 'jobs', index, 'schedule'];
    const findings = () => announceJob({ job, path }, { object, world, isExcluded: excluded.isExcluded });
    return isScaleOut[index] ? attempt({ path, value: field(job, 'schedule') }, findings) : [];
  });
  return [...found, ...excluded.refusals];
};

function announceJob(
  { job, path }: { job: unknown; path: readonly (string | number)[] },
  { object, world, isExcluded }: { object: ManifestObject; world: World; isExcluded: (atMs: number) => boolean },
): Finding[] {
  const expression = textField(job, 'schedule');
  if (expression === undefined) throw refused('A job needs a "schedule"');
  const plan = { expression, dialect: CRON_HPA_DIALECT, zone: world.zones.cronHpa };
  const { times, ...told } = cronTimes(plan, world);
  const due = isTrueField(job, 'runOnce') ? onlyRun({ job, times, expression }, object, world) : times;
  const target = field(object.value, 'spec', 'scaleTargetRef');
  const targets = referredWorkloads(object, target, { world, kind: 'Deployment' });
  const replicas = wholeField(job, 'targetSize');
  return [{ ...told, times: due.filter((time) => !isExcluded(time)), replicas, targets, path }];
}

/** A job that runs once runs at its first time after it was made, unless its condition says that it has. */
function onlyRun(
  run: { job: unknown; times: readonly number[]; expression: string },
  object: ManifestObject,
  world: World,
): readonly number[] {
  const name = textField(run.job, 'name');
  const conditions = listField(object.value, 'status', 'conditions');
  const isDone = conditions.some(
    (entry) => textField(entry, 'name') === name && textField(entry, 'state') === 'Succeed',
  );
  if (isDone) return [];
  const madeMs = timeField(object.value, 'metadata', 'creationTimestamp') ?? world.nowMs;
  const first = nextTime(parseCron(run.expression, CRON_HPA_DIALECT), madeMs, world.zones.cronHpa);
  return run.times.filter((time) => time === first);
}

/** A day is left out when an exclude date, asked at the job's time, fires once more on that day. */
function excludedDays(object: ManifestObject, { zones }: World) {
  const refusals: Finding[] = [];
  const schedules = listField(object.value, 'spec', 'excludeDates').flatMap((date, index) => {
    const path = ['spec', 'excludeDates', index];
    try {
      return [parseCron(typeof date === 'string' ? date : '', CRON_HPA_DIALECT)];
    } catch {
      refusals.push({
        path,
        value: String(date),
        reason: 'The exclude date is not a cron expression: it excludes nothing',
      });
      return [];
    }
  });
  const dayOf = (atMs: number) => Math.floor((atMs + zoneOffsetMs(zones.cronHpa, atMs)) / DAY_MS);
  const askers = schedules.map((schedule) => rememberedNext((atMs) => nextTime(schedule, atMs, zones.cronHpa)));
  const isExcluded = (atMs: number) =>
    askers.some((next) => {
      const found = next(atMs);
      return found !== undefined && dayOf(found) === dayOf(atMs);
    });
  return { refusals, isExcluded };
}

/** Times come in order, and until the next firing the answer stays what it was: seconds of searching are saved. */
function rememberedNext(ask: (atMs: number) => number | undefined): (atMs: number) => number | undefined {
  let known: { fromMs: number; next: number | undefined } | undefined;
  return (atMs) => {
    const isCurrent = known !== undefined && atMs >= known.fromMs && atMs < (known.next ?? Number.POSITIVE_INFINITY);
    if (!isCurrent) known = { fromMs: atMs, next: ask(atMs) };
    return known?.next;
  };
}
