/** KEDA's cron trigger (kedacore/keda `pkg/scalers/cron_scaler.go`), on a ScaledObject or a ScaledJob. */
import { field, listField, textField } from '../../sources/extract/values.ts';
import { FIELDS_ONLY_DIALECT } from '../cron/cron-dialect.ts';
import { parseCron } from '../cron/cron-parser.ts';
import type { CronSchedule } from '../cron/cron-schedule.ts';
import { nextTime } from '../cron/next-time.ts';
import { wholeField } from '../world/fields.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import { ownWorkloads, referredWorkloads, type World } from '../world/world.ts';
import { type Announcer, attempt, type Finding, refused } from './announcement.ts';
import { cronTimes } from './cron-times.ts';

const MAX_REPLICAS = 100;
const PREFIX = 'autoscaling.keda.sh/';
/** What Go's `strconv.ParseBool` takes for false; KEDA takes anything else for true. */
const FALSE_TEXTS = new Set(['0', 'f', 'F', 'false', 'False', 'FALSE']);

export const announceKeda: Announcer = (object, world) => {
  if (isPaused(object)) return [];
  return listField(object.value, 'spec', 'triggers').flatMap((trigger, index) => {
    if (textField(trigger, 'type') !== 'cron') return [];
    const metadata = field(trigger, 'metadata');
    const path = ['spec', 'triggers', index, 'metadata'];
    return attempt({ path, value: metadata }, () => announceTrigger({ metadata, path }, object, world));
  });
};

function isPaused({ annotations }: ManifestObject): boolean {
  const isOn = (name: string) => {
    const value = annotations[PREFIX + name];
    return value !== undefined && !FALSE_TEXTS.has(value);
  };
  return annotations[`${PREFIX}paused-replicas`] !== undefined || isOn('paused') || isOn('paused-scale-out');
}

function announceTrigger(
  trigger: { metadata: unknown; path: readonly (string | number)[] },
  object: ManifestObject,
  world: World,
): readonly Finding[] {
  const { metadata, path } = trigger;
  const { start, end, zone } = window(metadata, world);
  const replicas = desiredReplicas(metadata, object);
  return attempt({ path: [...path, 'start'], value: start }, () => {
    const { times, ...told } = cronTimes({ expression: start, dialect: FIELDS_ONLY_DIALECT, zone }, world);
    const active = activity({ start, end, zone });
    const starts = times.filter((time) => !active(time - 1));
    return [{ ...told, times: starts, replicas, targets: targetsOf(object, world), path: [...path, 'start'] }];
  });
}

function window(metadata: unknown, world: World): { start: string; end: string; zone: string } {
  const [start, end, zone] = ['start', 'end', 'timezone'].map((key) => textField(metadata, key));
  if (start === undefined || end === undefined || zone === undefined) {
    throw refused('A cron trigger needs "timezone", "start" and "end" as texts');
  }
  if (start === end) throw refused('"start" and "end" are the same');
  // An end that never comes keeps KEDA from ever calling the trigger active.
  cronTimes({ expression: end, dialect: FIELDS_ONLY_DIALECT, zone }, world);
  return { start, end, zone };
}

/** KEDA's rule, as its code comes out: active when the next end comes no later than the next start. */
function activity(trigger: { start: string; end: string; zone: string }): (atMs: number) => boolean {
  const parse = (text: string): CronSchedule => parseCron(text, FIELDS_ONLY_DIALECT);
  const [start, end] = [parse(trigger.start), parse(trigger.end)];
  return (atMs) => {
    const nextStart = nextTime(start, atMs, trigger.zone);
    const nextEnd = nextTime(end, atMs, trigger.zone);
    return nextStart !== undefined && nextEnd !== undefined && nextEnd <= nextStart;
  };
}

function desiredReplicas(metadata: unknown, { value }: ManifestObject): number {
  const desired = wholeField(metadata, 'desiredReplicas');
  if (desired === undefined || desired <= 0) throw refused('"desiredReplicas" is not a number above zero');
  const most = wholeField(value, 'spec', 'maxReplicaCount') ?? MAX_REPLICAS;
  return Math.max(Math.min(desired, most), wholeField(value, 'spec', 'minReplicaCount') ?? 0);
}

function targetsOf(object: ManifestObject, world: World) {
  if (object.kind === 'ScaledJob') return ownWorkloads(object, world);
  return referredWorkloads(object, field(object.value, 'spec', 'scaleTargetRef'), { world, kind: 'Deployment' });
}
