/**
 * Roll-outs that are known but not on their way: a paused Deployment with a changed template, a StatefulSet that keeps pods back,
 * a manifest whose images differ from what the cluster runs. They have no time: they are due now.
 */
import { field, textField } from '../../sources/extract/values.ts';
import { isTrueField, wholeField } from '../world/fields.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import { ownWorkloads, type World } from '../world/world.ts';
import type { Announcer } from './announcement.ts';

interface Sign {
  readonly path: readonly string[];
}

export const announceRollout: Announcer = (object, world) => {
  const sign = object.isLive ? liveSign(object) : manifestSign(object, world);
  if (sign === undefined) return [];
  const replicas = wholeField(object.value, 'spec', 'replicas') ?? (object.kind === 'DaemonSet' ? undefined : 1);
  return [{ times: [world.nowMs], replicas, targets: ownWorkloads(object, world), path: sign.path }];
};

/** A running object tells by its status that some pods have not the new template yet. */
function liveSign({ value, kind }: ManifestObject): Sign | undefined {
  const wanted = wholeField(value, 'spec', 'replicas') ?? 1;
  const updated = wholeField(value, 'status', 'updatedReplicas') ?? 0;
  if (isTrueField(value, 'spec', 'paused')) return updated < wanted ? { path: ['spec', 'paused'] } : undefined;
  if (kind !== 'StatefulSet' || !isHeldBack(value)) return undefined;
  const isPending = field(value, 'status', 'updateRevision') !== field(value, 'status', 'currentRevision');
  return isPending ? { path: ['spec', 'updateStrategy'] } : undefined;
}

/** A manifest is compared with what the cluster runs; when that is not known, being held back is sign enough. */
function manifestSign(object: ManifestObject, world: World): Sign | undefined {
  const isHeld = isTrueField(object.value, 'spec', 'paused') || isPartitioned(object.value);
  const held = isTrueField(object.value, 'spec', 'paused') ? ['spec', 'paused'] : ['spec', 'updateStrategy'];
  const running = world.objects.find(object).find(({ isLive, group }) => isLive && group === object.group);
  if (running === undefined) return isHeld ? { path: held } : undefined;
  if (imagesOf(running, world) === imagesOf(object, world)) return undefined;
  return { path: isHeld ? held : ['spec', 'template'] };
}

function isHeldBack(value: unknown): boolean {
  return isPartitioned(value) || textField(value, 'spec', 'updateStrategy', 'type') === 'OnDelete';
}

function isPartitioned(value: unknown): boolean {
  return (wholeField(value, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0) > 0;
}

function imagesOf(object: ManifestObject, world: World): string {
  const images = ownWorkloads(object, world).flatMap((workload) => workload.images.map(({ reference }) => reference));
  return [...new Set(images)].sort().join('\n');
}
