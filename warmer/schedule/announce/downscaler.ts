/** py-kube-downscaler: the beginning of an uptime is a scale-out. By annotation, on a workload or on its Namespace. */
import { field } from '../../sources/extract/values.ts';
import type { Workload } from '../../sources/workload.ts';
import {
  ANNOTATION_PREFIX,
  annotationPath,
  excludedUntil,
  hasTiming,
  isExcluded,
  isForcedUp,
  type Timing,
  timingOf,
} from '../downscaler/downscaler-rules.ts';
import { edgesOf, matchesTimeSpec, parseTimeSpec, type TimeSpec } from '../downscaler/time-spec.ts';
import { wholeField } from '../world/fields.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import { ownWorkloads, referredWorkloads, type World } from '../world/world.ts';
import { type Announcement, type Announcer, attempt } from './announcement.ts';

const MINUTE_MS = 60_000;
const SCALED_KINDS = new Set(['Deployment', 'StatefulSet', 'Rollout', 'Stack']);
/** Those that name what they scale. */
const SCALER_KINDS = new Set(['HorizontalPodAutoscaler', 'ScaledObject']);

export const announceDownscaler: Announcer = (object, world) => {
  if (object.kind === 'Namespace') return announceNamespace(object, world);
  const namespace = world.objects.find({ kind: 'Namespace', namespace: undefined, name: object.namespace ?? '' })[0];
  const inherited = namespace?.annotations ?? {};
  const isSilent = isExcluded(object.annotations) || isExcluded(inherited) || isForcedUp(inherited);
  if (!hasTiming(object.annotations) || isSilent) return [];
  const targets = SCALER_KINDS.has(object.kind) ? scaledBy(object, world) : scaledItself(object, world);
  if (targets.length === 0) return [];
  const afterMs = Math.max(excludedUntil(object.annotations) ?? 0, excludedUntil(inherited) ?? 0);
  return announceTiming(object, { timing: timingOf(inherited, object.annotations), targets, afterMs }, world);
};

function announceNamespace(object: ManifestObject, world: World) {
  const { annotations } = object;
  if (!hasTiming(annotations) || isExcluded(annotations) || isForcedUp(annotations)) return [];
  const targets = world.workloads
    .inNamespace(object.name)
    .filter((workload) => SCALED_KINDS.has(workload.kind) && followsNamespace(workload, world));
  return announceTiming(
    object,
    { timing: timingOf(annotations), targets, afterMs: excludedUntil(annotations) ?? 0 },
    world,
  );
}

function followsNamespace(workload: Workload, world: World): boolean {
  const found = world.objects.find({ ...workload, name: workload.name ?? '' });
  return found.every(({ annotations }) => !hasTiming(annotations) && !isExcluded(annotations));
}

function scaledItself(object: ManifestObject, world: World): readonly Workload[] {
  return SCALED_KINDS.has(object.kind) ? ownWorkloads(object, world) : [];
}

function scaledBy(object: ManifestObject, world: World): readonly Workload[] {
  return referredWorkloads(object, field(object.value, 'spec', 'scaleTargetRef'), { world, kind: 'Deployment' });
}

function announceTiming(
  object: ManifestObject,
  what: { timing: Timing; targets: readonly Workload[]; afterMs: number },
  world: World,
) {
  const { timing, targets } = what;
  const key = leadingKey(timing);
  return attempt({ path: annotationPath(key), value: timing[key] }, (): Announcement[] => {
    const spec = (name: keyof Timing) => parseTimeSpec(timing[name], world.zones.downscaler);
    const times = hasPeriods(timing)
      ? periodStarts({ up: spec('upscale-period'), down: spec('downscale-period') }, world)
      : uptimeStarts({ up: spec('uptime'), down: spec('downtime') }, world);
    const due = times.filter((time) => time >= what.afterMs);
    // A size of zero is the one it sleeps with.
    const replicas = originalReplicas(object) ?? (only(targets)?.replicas || undefined);
    const timezone = zoneOf(timing[key]) ?? world.zones.downscaler;
    const told = { schedule: timing[key], ...(timezone === undefined ? {} : { timezone }) };
    return [{ ...told, times: due, targets, replicas, path: annotationPath(key) }];
  });
}

/** The annotation that an event is told with. */
function leadingKey(timing: Timing): keyof Timing {
  if (hasPeriods(timing)) return 'upscale-period';
  return timing.uptime === 'always' ? 'downtime' : 'uptime';
}

function hasPeriods(timing: Timing): boolean {
  return timing['upscale-period'] !== 'never' || timing['downscale-period'] !== 'never';
}

interface Specs {
  readonly up: TimeSpec;
  readonly down: TimeSpec;
}

/** Up is within uptime and outside downtime; it begins where it holds and did not a minute before. */
function uptimeStarts({ up, down }: Specs, world: World): number[] {
  const span = { afterMs: world.nowMs, untilMs: world.untilMs };
  const isUp = (atMs: number) => matchesTimeSpec(up, atMs) && !matchesTimeSpec(down, atMs);
  const edges = [...edgesOf(up, span).starts, ...edgesOf(down, span).ends].map(afterInstant(down));
  return [...new Set(edges)].sort((a, b) => a - b).filter((time) => isUp(time) && !isUp(time - MINUTE_MS));
}

/** An absolute downtime still holds at its last instant; the next second is outside. */
function afterInstant(down: TimeSpec): (atMs: number) => number {
  return (atMs) => (matchesTimeSpec(down, atMs) && !matchesTimeSpec(down, atMs + 1000) ? atMs + 1000 : atMs);
}

/** In the periods' own mode nothing changes but at an upscale period that no downscale period overlaps. */
function periodStarts({ up, down }: Specs, world: World): number[] {
  const { starts } = edgesOf(up, { afterMs: world.nowMs, untilMs: world.untilMs });
  return starts.filter((time) => !matchesTimeSpec(down, time) && !matchesTimeSpec(up, time - MINUTE_MS));
}

function originalReplicas(object: ManifestObject): number | undefined {
  return wholeField(object.annotations, `${ANNOTATION_PREFIX}original-replicas`);
}

function only<T>(things: readonly T[]): T | undefined {
  return things.length === 1 ? things[0] : undefined;
}

function zoneOf(text: string): string | undefined {
  return / ([a-zA-Z/_]+)(?:,|$)/.exec(text)?.[1];
}
