/** ConfigMaps that name an image by a key of their own: `config-reloader-image: quay.io/…` (helm-images does so). Pure. */
import type { Collector } from './collector.ts';
import type { FoundObject } from './found-object.ts';
import { isWholeImage } from './image-text.ts';
import { podConstraints } from './pod-constraints.ts';
import { textsField } from './values.ts';

const IMAGE_KEY = /(?:(?:^|[^A-Za-z])image|[a-z0-9]Image|IMAGE)$/;
const PLACEHOLDER = /\$\{|\{\{|\$\(/;

export function findInConfigMap(object: FoundObject, into: Collector): void {
  const images = Object.entries(textsField(object.value, 'data'))
    .filter(([key, value]) => IMAGE_KEY.test(key) && (isWholeImage(value) || PLACEHOLDER.test(value)))
    .filter(([key]) => into.claim(object, ['data', key]))
    .flatMap(([key, value]) => into.use(object, { path: ['data', key], value, role: 'container', rule: 'configmap' }));
  into.add(object, { template: ['data'], images, pod: podConstraints([]) });
}
