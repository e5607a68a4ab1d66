/** Knative: a service that scales to zero starts cold at any request, so its images are wanted always. */
import { textsField } from '../../sources/extract/values.ts';
import { ownWorkloads } from '../world/world.ts';
import type { Announcer } from './announcement.ts';

const PREFIX = 'autoscaling.knative.dev/';
/** The HPA class cannot scale to zero. */
const HPA_CLASS = 'hpa.autoscaling.knative.dev';

export const announceKnative: Announcer = (object, world) => {
  const annotations = textsField(object.value, 'spec', 'template', 'metadata', 'annotations');
  const said = (...names: string[]) =>
    names.map((name) => annotations[PREFIX + name]).find((value) => value !== undefined);
  const minScale = Number(said('min-scale', 'minScale') ?? 0);
  if (minScale > 0 || said('class') === HPA_CLASS) return [];
  const first = Number(said('activation-scale', 'initial-scale', 'initialScale') ?? 1);
  const path = ['spec', 'template', 'metadata', 'annotations', `${PREFIX}min-scale`];
  return [{ times: [world.nowMs], replicas: Math.max(first, 1), targets: ownWorkloads(object, world), path }];
};
