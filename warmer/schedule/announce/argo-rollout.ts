/** Argo Rollouts (argoproj/argo-rollouts): canary pods run first, a blue-green preview may be small; the rest comes later. */
import { field, listField, textField } from '../../sources/extract/values.ts';
import type { Workload } from '../../sources/workload.ts';
import { parseGoDuration } from '../../../core/runtime/go-duration.ts';
import { isTrueField, timeField, wholeField } from '../world/fields.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import { ownWorkloads, referredWorkloads, type World } from '../world/world.ts';
import { type Announcer, attempt } from './announcement.ts';

const SECOND_MS = 1000;

export const announceArgoRollout: Announcer = (object, world) => {
  const path = pausePath(object);
  if (path === undefined) return [];
  return attempt({ path, value: field(object.value, 'status') }, () => {
    const at = Math.max(pauseEnd(object) ?? world.nowMs, world.nowMs);
    if (at > world.untilMs) return [];
    const replicas = wholeField(object.value, 'spec', 'replicas') ?? 1;
    return [{ times: [at], replicas, targets: templates(object, world), path }];
  });
};

function templates(object: ManifestObject, world: World): readonly Workload[] {
  const reference = field(object.value, 'spec', 'workloadRef');
  const elsewhere = reference === undefined ? [] : referredWorkloads(object, reference, { world, kind: 'Deployment' });
  return elsewhere.length > 0 ? elsewhere : ownWorkloads(object, world);
}

/** What holds it; a manifest alone tells only `paused`, a live object its conditions. */
function pausePath({ value }: ManifestObject): string[] | undefined {
  if (isTrueField(value, 'spec', 'paused')) return ['spec', 'paused'];
  if (listField(value, 'status', 'pauseConditions').length > 0) return ['status', 'pauseConditions'];
  const preview = wholeField(value, 'spec', 'strategy', 'blueGreen', 'previewReplicaCount');
  const isSmall = preview !== undefined && preview < (wholeField(value, 'spec', 'replicas') ?? 1);
  const current = textField(value, 'status', 'currentPodHash');
  const isPromoting = current !== undefined && current !== textField(value, 'status', 'stableRS');
  return isSmall && isPromoting ? ['spec', 'strategy', 'blueGreen', 'previewReplicaCount'] : undefined;
}

/** When a pause ends by itself: a canary step with a duration, or a blue-green promotion after so many seconds. */
function pauseEnd({ value }: ManifestObject): number | undefined {
  const began = timeField(listField(value, 'status', 'pauseConditions')[0], 'startTime');
  if (began === undefined || isTrueField(value, 'spec', 'paused')) return undefined;
  const index = wholeField(value, 'status', 'currentStepIndex') ?? -1;
  const duration = field(listField(value, 'spec', 'strategy', 'canary', 'steps')[index], 'pause', 'duration');
  const promotion = wholeField(value, 'spec', 'strategy', 'blueGreen', 'autoPromotionSeconds');
  const ms = duration === undefined ? undefined : durationMs(duration);
  return ms === undefined ? (promotion === undefined ? undefined : began + promotion * SECOND_MS) : began + ms;
}

/** Seconds as a number, or Go's way. */
function durationMs(duration: unknown): number | undefined {
  if (typeof duration === 'number') return duration * SECOND_MS;
  if (typeof duration !== 'string') return undefined;
  return /^\d{1,9}$/.test(duration) ? Number(duration) * SECOND_MS : parseGoDuration(duration);
}
