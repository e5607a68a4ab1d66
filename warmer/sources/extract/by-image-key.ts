/**
 * The last rule, only when asked for: any text under a key named `image`, wherever it stands (kbld's default). It finds
 * things that are no images, so what is known not to be one is left out. Pure.
 */
import type { ValuePath } from '../documents.ts';
import type { ExtractionRule } from '../workload.ts';
import type { Collector } from './collector.ts';
import type { FoundObject } from './found-object.ts';
import { podConstraints } from './pod-constraints.ts';
import { isRecord } from './values.ts';

/** `rbd.image` is the name of a block device; schemas and observations name no image that will run. */
const SKIPPED = new Set(['rbd', 'status', 'managedFields', 'openAPIV3Schema', 'annotations']);

export function findByImageKey(object: FoundObject, into: Collector, rule: ExtractionRule = 'image-key'): void {
  for (const { path, value } of imageKeys(object.value, [])) {
    if (!into.claim(object, path)) continue;
    const images = into.use(object, { path, value, role: 'container', rule });
    into.add(object, { template: path, images, pod: podConstraints([]) });
  }
}

function* imageKeys(value: unknown, path: ValuePath): Generator<{ path: ValuePath; value: string }> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* imageKeys(item, [...path, index]);
  }
  if (!isRecord(value)) return;
  for (const [key, child] of Object.entries(value)) {
    if (SKIPPED.has(key)) continue;
    if (key === 'image' && typeof child === 'string') yield { path: [...path, key], value: child };
    else yield* imageKeys(child, [...path, key]);
  }
}
