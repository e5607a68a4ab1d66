/** The first rule: a kind that the table knows. Pure. */
import type { ValuePath } from '../documents.ts';
import type { ImageUse, ObjectReference } from '../workload.ts';
import { imagesInArguments } from './by-arguments.ts';
import type { Collector } from './collector.ts';
import type { FoundObject } from './found-object.ts';
import { type ImagePlace, type KindRow, type PodPlace, POD_SPEC_IMAGES, type TemplateReference } from './kind-row.ts';
import { groupOf } from './kinds.ts';
import { type Match, matchPattern, parsePattern, type PathPattern, valueAt } from './path-pattern.ts';
import { podConstraints } from './pod-constraints.ts';
import { field, isRecord, textField } from './values.ts';

/** Everything that a row says of an object. */
export function findByKind(object: FoundObject, row: KindRow, into: Collector): void {
  const templateFrom = row.templateFrom
    ?.map((reference) => referenceOf(object, reference))
    .find((one) => one !== undefined);
  const before = into.workloads.length;
  for (const place of row.pods) {
    for (const match of matchPattern(object.value, patternOf(place.at)))
      addPod({ object, place, match, templateFrom, into });
  }
  if (templateFrom !== undefined && into.workloads.length === before) {
    into.add(object, { template: [], images: [], pod: podConstraints([]), replicas: replicasAt(object), templateFrom });
  }
}

interface PodParts {
  readonly object: FoundObject;
  readonly place: PodPlace;
  readonly match: Match;
  readonly templateFrom: ObjectReference | undefined;
  readonly into: Collector;
}

function addPod({ object, place, match, templateFrom, into }: PodParts): void {
  const { path, value, captures } = match;
  const places = place.images ?? POD_SPEC_IMAGES;
  const images = places.flatMap((one) => imagesAt({ object, base: path, spec: value, place: one, into }));
  if (place.images === undefined) images.push(...imagesInArguments({ object, base: path, spec: value, into }));
  const specs = (place.scheduling ?? [place.at]).map((at) => valueAt(object.value, patternOf(at), captures));
  const replicas = productOf((place.replicas ?? []).map((at) => valueAt(object.value, patternOf(at), captures)));
  const parts = { template: path, images, pod: podConstraints(specs), templateFrom };
  into.add(object, {
    ...parts,
    ...(place.replicas !== undefined && { replicas }),
    isOnEveryNode: place.isOnEveryNode ?? false,
  });
}

interface ImageSearch {
  readonly object: FoundObject;
  readonly base: ValuePath;
  readonly spec: unknown;
  readonly place: ImagePlace;
  readonly into: Collector;
}

/** Two templates of one object may share an image: the row says so on purpose. */
function imagesAt({ object, base, spec, place, into }: ImageSearch): ImageUse[] {
  return matchPattern(spec, patternOf(place.path)).flatMap((match) => {
    const path = [...base, ...match.path];
    const value = place.schemes === undefined ? match.value : withoutScheme(match.value, place.schemes);
    // A map in a list of texts is described by a row of its own.
    if (value === undefined || (place.role === 'listed' && isRecord(value))) return [];
    const isFirst = into.claim(object, path);
    const uses = into.use(object, { path, value, role: place.role, rule: 'kind' });
    if (uses.length === 0 && !isFirst) into.unresolved.pop();
    return uses;
  });
}

function withoutScheme(value: unknown, schemes: readonly string[]): string | undefined {
  const scheme = typeof value === 'string' ? schemes.find((one) => value.startsWith(one)) : undefined;
  return scheme === undefined || typeof value !== 'string' ? undefined : value.slice(scheme.length);
}

function referenceOf(object: FoundObject, reference: TemplateReference): ObjectReference | undefined {
  const found = valueAt(object.value, patternOf(reference.at), []);
  const name = typeof found === 'string' && found !== '' ? found : textField(found, 'name');
  const clusterKind = field(found, reference.clusterKind?.key ?? '') === true ? reference.clusterKind?.kind : undefined;
  const kind = textField(found, 'kind') ?? clusterKind ?? reference.kind;
  if (name === undefined || kind === undefined) return undefined;
  const apiVersion = textField(found, 'apiVersion');
  const group = apiVersion === undefined ? (textField(found, 'apiGroup') ?? reference.group) : groupOf(apiVersion);
  return { group, kind, namespace: object.namespace, name };
}

function replicasAt(object: FoundObject): number | undefined {
  const replicas = field(object.value, 'spec', 'replicas');
  return typeof replicas === 'number' ? replicas : undefined;
}

/** undefined when none is said; what is not said of several counts once. */
function productOf(factors: readonly unknown[]): number | undefined {
  const numbers = factors.filter((factor) => typeof factor === 'number');
  return numbers.length === 0 ? undefined : numbers.reduce((product, factor) => product * factor, 1);
}

const PATTERNS = new Map<string, PathPattern>();

/** The table's patterns are few, and every object asks for them. */
function patternOf(text: string): PathPattern {
  const known = PATTERNS.get(text);
  if (known !== undefined) return known;
  const pattern = parsePattern(text);
  PATTERNS.set(text, pattern);
  return pattern;
}
