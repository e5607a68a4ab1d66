/** All that an announcement may look at: the clock, the zones, the other objects. */
import type { Workload } from '../../sources/workload.ts';
import { groupOf } from '../../sources/extract/kinds.ts';
import { field, textField } from '../../sources/extract/values.ts';
import type { ForecastInput, ForecastOptions } from '../schedule.ts';
import { type ManifestObject, manifestObject } from './manifest-object.ts';
import { NamedIndex } from './named-index.ts';

export interface World {
  readonly nowMs: number;
  readonly untilMs: number;
  readonly zones: { readonly cluster: string; readonly cronHpa: string; readonly downscaler: string | undefined };
  readonly objects: NamedIndex<ManifestObject>;
  readonly workloads: NamedIndex<Workload>;
}

/** Autoscalers that an announcement may name in place of what they scale. */
const AUTOSCALERS = new Set(['HorizontalPodAutoscaler', 'FederatedHPA']);

export function makeWorld(input: ForecastInput, options: ForecastOptions): World {
  const objects = input.documents.map(manifestObject).filter((object) => object !== undefined);
  return {
    nowMs: options.nowMs,
    untilMs: options.nowMs + options.horizonMs,
    zones: {
      cluster: options.clusterZone ?? 'UTC',
      cronHpa: options.cronHpaZone ?? 'Asia/Shanghai',
      downscaler: options.downscalerZone,
    },
    objects: new NamedIndex(objects),
    workloads: new NamedIndex(input.workloads),
  };
}

/** The pod templates that an object has itself. */
export function ownWorkloads(object: ManifestObject, world: World): readonly Workload[] {
  const { file, document } = object.document;
  const found = world.workloads.find(object);
  return found.filter((workload) => workload.file === file && workload.document === document);
}

/**
 * The workloads that a reference (`{ kind, name, apiVersion | apiGroup }`) of `object` means; an autoscaler stands for what it
 * scales.
 */
export function referredWorkloads(
  object: ManifestObject,
  reference: unknown,
  options: { world: World; kind?: string },
): readonly Workload[] {
  const { world } = options;
  const kind = textField(reference, 'kind') ?? options.kind ?? '';
  const name = textField(reference, 'name');
  if (name === undefined) return [];
  const wanted = { kind, name, namespace: textField(reference, 'namespace') ?? object.namespace };
  if (AUTOSCALERS.has(kind)) {
    return world.objects.find(wanted).flatMap((scaler) => {
      const target = field(scaler.value, 'spec', 'scaleTargetRef');
      // An autoscaler that names an autoscaler would go round for ever.
      return AUTOSCALERS.has(textField(target, 'kind') ?? '') ? [] : referredWorkloads(scaler, target, { world });
    });
  }
  const group = referredGroup(reference);
  return world.workloads.find(wanted).filter(({ apiVersion }) => group === undefined || groupOf(apiVersion) === group);
}

function referredGroup(reference: unknown): string | undefined {
  const apiVersion = textField(reference, 'apiVersion');
  return apiVersion === undefined ? textField(reference, 'apiGroup') : groupOf(apiVersion);
}
