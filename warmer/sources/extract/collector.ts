/** What has been found so far in one document. Each place counts once: for the first rule that comes to it. */
import { CodedError } from '../../../core/runtime/errors.ts';
import type { ValuePath } from '../documents.ts';
import { clipped, type Unresolved } from '../unresolved.ts';
import type { ExtractionRule, ImageRole, ImageUse, ObjectReference, PodConstraints, Workload } from '../workload.ts';
import type { FoundObject } from './found-object.ts';
import { readImageText } from './image-text.ts';
import { formatPath } from './path-pattern.ts';

/** Images of one document, unresolved ones included. A `List` is many documents. */
const IMAGES_MAX = 20_000;

export interface Findings {
  readonly workloads: readonly Workload[];
  readonly unresolved: readonly Unresolved[];
}

/** A place that may name an image; `path` is within the object. */
export interface ImageCandidate {
  readonly path: ValuePath;
  readonly value: unknown;
  readonly role: ImageRole;
  readonly rule: ExtractionRule;
}

export interface WorkloadParts {
  /** Within the object. */
  readonly template: ValuePath;
  readonly images: readonly ImageUse[];
  readonly pod: PodConstraints;
  readonly replicas?: number | undefined;
  readonly isOnEveryNode?: boolean;
  readonly templateFrom?: ObjectReference | undefined;
}

export class Collector {
  readonly workloads: Workload[] = [];
  readonly unresolved: Unresolved[] = [];
  readonly #claimed = new Set<string>();

  /** True the first time that a place of an object is named. */
  claim(object: FoundObject, path: ValuePath): boolean {
    const key = this.#pathOf(object, path);
    if (this.#claimed.has(key)) return false;
    if (this.#claimed.size >= IMAGES_MAX) {
      throw new CodedError('RESOURCE_EXHAUSTED', `The document names more than ${IMAGES_MAX} images`);
    }
    this.#claimed.add(key);
    return true;
  }

  /** The image at a place; nothing, with the place noted, when it cannot be told. */
  use(object: FoundObject, candidate: ImageCandidate): ImageUse[] {
    const { path, value, role, rule } = candidate;
    if (typeof value !== 'string') {
      this.note(object, path, { value: JSON.stringify(value) ?? '', reason: 'Image is not a text' });
      return [];
    }
    const text = readImageText(value);
    if (text.kind === 'unresolved') {
      this.note(object, path, { value, reason: text.reason });
      return [];
    }
    const { kind, namespace, name } = object;
    const position = this.#positionOf(object, path);
    const { reference } = text;
    return [
      { ...position, path: this.#pathOf(object, path), rule, role, image: value, reference, kind, namespace, name },
    ];
  }

  /** Something that cannot be told, at a place. */
  note(object: FoundObject, path: ValuePath, { value, reason }: { value: string; reason: string }): void {
    this.unresolved.push({ ...this.#positionOf(object, path), value: clipped(value), reason });
  }

  add(object: FoundObject, parts: WorkloadParts): void {
    if (parts.images.length === 0 && parts.templateFrom === undefined) return;
    const { apiVersion, kind, namespace, name } = object;
    this.workloads.push({
      ...this.#positionOf(object, parts.template),
      ...{ apiVersion, kind, namespace, name },
      template: this.#pathOf(object, parts.template),
      images: parts.images,
      replicas: parts.replicas,
      isOnEveryNode: parts.isOnEveryNode ?? false,
      pod: parts.pod,
      ...(parts.templateFrom !== undefined && { templateFrom: parts.templateFrom }),
    });
  }

  #positionOf({ document, path }: FoundObject, inner: ValuePath) {
    return { file: document.file, document: document.document, line: document.lineOf([...path, ...inner]) };
  }

  #pathOf({ path, pathPrefix }: FoundObject, inner: ValuePath): string {
    return pathPrefix + formatPath([...path, ...inner]);
  }
}
