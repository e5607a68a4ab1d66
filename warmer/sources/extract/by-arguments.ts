/** Images that a controller is told of by its arguments or its environment, and starts pods from. Pure. */
import type { ValuePath } from '../documents.ts';
import type { ImageUse } from '../workload.ts';
import type { Collector } from './collector.ts';
import type { FoundObject } from './found-object.ts';
import { isWholeImage } from './image-text.ts';
import { listField, textField } from './values.ts';

/** cert-manager, prometheus-operator and others; flags of the form `--<something>-image` are read as well. */
const IMAGE_FLAG = /^--?(?:prometheus-config-reloader|thanos-default-base-image|[a-z0-9-]+-image)=(.+)$/;
/** The Operator Lifecycle Manager's convention for images that an operator will use. */
const IMAGE_VARIABLE = /^RELATED_IMAGE_/;

export interface ArgumentSearch {
  readonly object: FoundObject;
  /** Where the PodSpec stands in the object. */
  readonly base: ValuePath;
  readonly spec: unknown;
  readonly into: Collector;
}

/** Only what is written out as a whole image: `--image=nginx` may mean anything. */
export function imagesInArguments({ object, base, spec, into }: ArgumentSearch): ImageUse[] {
  const containers = ['containers', 'initContainers'].flatMap((list) =>
    listField(spec, list).map((container, index) => ({ container, path: [...base, list, index] })),
  );
  return containers
    .flatMap(({ container, path }) => [...argumentsOf(container, path), ...variablesOf(container, path)])
    .filter(({ value, path }) => isWholeImage(value) && into.claim(object, path))
    .flatMap(({ path, value }) => into.use(object, { path, value, role: 'container', rule: 'argument' }));
}

interface NamedText {
  readonly path: ValuePath;
  readonly value: string;
}

function argumentsOf(container: unknown, base: ValuePath): NamedText[] {
  return ['args', 'command'].flatMap((list) =>
    listField(container, list).flatMap((argument, index) => {
      const value = typeof argument === 'string' ? IMAGE_FLAG.exec(argument)?.[1] : undefined;
      return value === undefined ? [] : [{ path: [...base, list, index], value }];
    }),
  );
}

function variablesOf(container: unknown, base: ValuePath): NamedText[] {
  return listField(container, 'env').flatMap((variable, index) => {
    const value = textField(variable, 'value');
    const isImage = IMAGE_VARIABLE.test(textField(variable, 'name') ?? '');
    return value === undefined || !isImage ? [] : [{ path: [...base, 'env', index, 'value'], value }];
  });
}
