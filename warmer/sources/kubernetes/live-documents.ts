/** Objects of a cluster as documents. One for each shape of the pods of a controller: a thousand equal pods say nothing more than one. */
import type { SourceDocument } from '../documents.ts';
import { field, listField, type PlainRecord, textField } from '../extract/values.ts';
import { objectPath, type Resource } from './api/resource.ts';
import { PullNames } from './secrets/pull-names.ts';
import { asTemplate, controllerOf } from './live-object.ts';

export class LiveDocuments {
  readonly #cluster: string;
  readonly #shapes = new Set<string>();
  /** Of all objects that were given. */
  readonly names = new PullNames();

  /** `cluster`: how reports name it. One of these for each reading of the whole. */
  constructor(cluster: string) {
    this.#cluster = cluster;
  }

  /** Of an object as it is kept; undefined for a pod that says nothing new. */
  documentOf(object: PlainRecord, resource: Resource): SourceDocument | undefined {
    const isPod = resource.group === '' && resource.kind === 'Pod';
    if (isPod && !this.#isNewShape(object)) return undefined;
    const name = textField(object, 'metadata', 'name') ?? '';
    const path = objectPath(resource, { namespace: textField(object, 'metadata', 'namespace'), name });
    this.names.takeObject(object);
    const value = isPod ? asTemplate(object) : object;
    return { file: `${this.#cluster}:${path}`, document: 1, value, lineOf: firstLine };
  }

  #isNewShape(pod: PlainRecord): boolean {
    const owner = textField(controllerOf(pod), 'uid');
    if (owner === undefined) return true;
    const containers = ['containers', 'initContainers', 'ephemeralContainers'];
    const images = containers.flatMap((list) => listField(pod, 'spec', list).map((one) => field(one, 'image')));
    const volumes = listField(pod, 'spec', 'volumes').map((volume) => field(volume, 'image', 'reference') ?? null);
    const shape = JSON.stringify([owner, images, volumes]);
    if (this.#shapes.has(shape)) return false;
    this.#shapes.add(shape);
    return true;
  }
}

/** What a server says is one line, whatever stands in it. */
const firstLine = () => 1;
