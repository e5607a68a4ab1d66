/**
 * The second rule, for kinds that nobody told us of: whatever has a list named as a PodSpec's (kustomize's "legacy"
 * walk and Tekton's lists) is taken for one. Objects inside objects are read as objects. Pure.
 */
import type { ValuePath } from '../documents.ts';
import type { ImageRole } from '../workload.ts';
import { imagesInArguments } from './by-arguments.ts';
import type { Collector } from './collector.ts';
import { type FoundObject, objectAt } from './found-object.ts';
import { podConstraints } from './pod-constraints.ts';
import { field, isRecord, listField, type PlainRecord } from './values.ts';

const CONTAINER_LISTS: ReadonlyMap<string, ImageRole> = new Map([
  ['containers', 'container'],
  ['initContainers', 'init'],
  ['ephemeralContainers', 'ephemeral'],
  ['steps', 'container'],
  ['sidecars', 'container'],
]);
/** What an object was observed to be, and what it says of itself, is not what it will run. */
const SKIPPED_AT_TOP = new Set(['status', 'metadata']);

/** Told of every object that stands inside another. */
export type OnInnerObject = (object: FoundObject) => void;

export function findByStructure(object: FoundObject, into: Collector, onInner: OnInnerObject): void {
  for (const [key, value] of Object.entries(object.value)) {
    if (!SKIPPED_AT_TOP.has(key)) walk({ object, into, onInner }, value, [key]);
  }
}

interface Walk {
  readonly object: FoundObject;
  readonly into: Collector;
  readonly onInner: OnInnerObject;
}

function walk(context: Walk, value: unknown, path: ValuePath): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(context, item, [...path, index]);
    return;
  }
  if (!isRecord(value)) return;
  const { object } = context;
  const inner = objectAt(object.document, value, {
    path: [...object.path, ...path],
    pathPrefix: object.pathPrefix,
    around: object,
  });
  // A reference has an apiVersion and a kind as well, but nothing of its own.
  if (inner !== undefined && isRecord(field(value, 'metadata'))) {
    context.onInner(inner);
    return;
  }
  addPod(context, value, path);
  for (const [key, child] of Object.entries(value)) walk(context, child, [...path, key]);
}

function addPod({ object, into }: Walk, spec: PlainRecord, path: ValuePath): void {
  const images = candidatesIn(spec)
    .filter(({ at }) => into.claim(object, [...path, ...at]))
    .flatMap(({ at, value, role }) => into.use(object, { path: [...path, ...at], value, role, rule: 'structure' }));
  if (images.length > 0) images.push(...imagesInArguments({ object, base: path, spec, into }));
  const replicas = field(object.value, 'spec', 'replicas');
  const parts = { template: path, images, pod: podConstraints([spec]) };
  into.add(object, { ...parts, replicas: typeof replicas === 'number' ? replicas : undefined });
}

function candidatesIn(spec: PlainRecord): { at: ValuePath; value: unknown; role: ImageRole }[] {
  const inLists = [...CONTAINER_LISTS].flatMap(([list, role]) =>
    listField(spec, list).map((item, index) => ({ at: [list, index, 'image'], value: field(item, 'image'), role })),
  );
  const volumes = listField(spec, 'volumes').map((volume, index) => ({
    at: ['volumes', index, 'image', 'reference'],
    value: field(volume, 'image', 'reference'),
    role: 'volume' as const,
  }));
  return [...inLists, ...volumes].filter(({ value }) => value !== undefined && value !== null);
}
