/**
 * The images that a document names, and the workloads that use them. The rules in their order: the table of kinds, the
 * shape of PodSpecs, the user's own rules, and, when asked for, any key named `image`. Pure.
 */
import { CodedError, messageOf } from '../../core/runtime/errors.ts';
import type { SourceDocument } from './documents.ts';
import { findInConfigMap } from './extract/by-configmap.ts';
import { findByImageKey } from './extract/by-image-key.ts';
import { findByKind } from './extract/by-kind.ts';
import { findByStructure } from './extract/by-structure.ts';
import { findByUserRule } from './extract/by-user-rule.ts';
import { Collector, type Findings } from './extract/collector.ts';
import { embeddedDocuments, podInText } from './extract/embedded.ts';
import { type FoundObject, namelessObject, objectAt } from './extract/found-object.ts';
import type { KindRow } from './extract/kind-row.ts';
import { rowOf } from './extract/kinds.ts';
import { matchPattern, parsePattern } from './extract/path-pattern.ts';
import type { UserRule } from './extract/user-rule.ts';

export interface FindOptions {
  readonly rules?: readonly UserRule[];
  /** Also take any text under a key named `image`, in documents of whatever kind. */
  readonly anyImageKey?: boolean;
}

/** Schemas and secrets name no image; observations name what was. */
const SKIPPED_KINDS = new Set([
  'CustomResourceDefinition',
  'Secret',
  'Event',
  'Node',
  'PersistentVolume',
  'PodMetrics',
]);

/** A PodSpec that is a document of its own; it has no path to its place. */
const POD_TEXT: KindRow = { kinds: [], groups: [], pods: [{ at: '' }] };
const NOT_APPLIED = 'A kustomization is not applied here: give the output of "kustomize build"';

/** Never throws: what cannot be told is among the unresolved. */
export function findImages(document: SourceDocument, options: FindOptions = {}): Findings {
  const into = new Collector();
  const object = objectAt(document, document.value) ?? namelessObject(document);
  try {
    if (object !== undefined) findInObject(object, options, into);
  } catch (error) {
    if (!(error instanceof CodedError) || object === undefined) throw error;
    into.note(object, [], { value: object.name ?? '', reason: messageOf(error) });
  }
  return { workloads: into.workloads, unresolved: into.unresolved };
}

function findInObject(object: FoundObject, options: FindOptions, into: Collector): void {
  if (SKIPPED_KINDS.has(object.kind)) return;
  if (isKustomization(object)) {
    into.note(object, [], { value: object.name ?? 'kustomization', reason: NOT_APPLIED });
    return;
  }
  const onInner = (inner: FoundObject) => findInObject(inner, options, into);
  // Only what says what it is can be judged by its shape: values of charts and settings of CI have such lists as well.
  if (object.kind !== '' && object.apiVersion !== '') findInNamed(object, into, onInner);
  for (const rule of options.rules ?? []) findByUserRule(object, rule, { into, onInner });
  if (options.anyImageKey) findByImageKey(object, into);
}

function findInNamed(object: FoundObject, into: Collector, onInner: (object: FoundObject) => void): void {
  const row = rowOf(object.kind, object.apiVersion);
  if (row !== undefined) {
    findByKind(object, row, into);
    findInTexts(object, row, { into, onInner });
  }
  if (object.kind === 'ConfigMap' && object.apiVersion === 'v1') findInConfigMap(object, into);
  else findByStructure(object, into, onInner);
}

function findInTexts(
  object: FoundObject,
  row: KindRow,
  { into, onInner }: { into: Collector; onInner: (object: FoundObject) => void },
): void {
  for (const { at, holds } of row.embedded ?? []) {
    for (const { path } of matchPattern(object.value, parsePattern(at))) {
      if (holds === 'pod') {
        for (const pod of podInText(object, path, into)) findByKind(pod, POD_TEXT, into);
      } else {
        for (const { document, pathPrefix } of embeddedDocuments(object, path, into)) {
          const inner = objectAt(document, document.value, { pathPrefix, around: object });
          if (inner !== undefined) onInner(inner);
        }
      }
    }
  }
}

function isKustomization({ kind, apiVersion, value, document }: FoundObject): boolean {
  if (apiVersion.startsWith('kustomize.config.k8s.io/')) return true;
  const isNamedSo =
    /(?:^|\/)kustomization\.ya?ml$/i.test(document.file) || /(?:^|\/)Kustomization$/.test(document.file);
  return kind === '' && isNamedSo && 'resources' in value;
}
