/** Images that the user lists in the configuration. Pure. */
import { readImageText } from './extract/image-text.ts';
import { ANYWHERE } from './extract/pod-constraints.ts';
import type { Source, SourceItem } from './source.ts';
import { clipped } from './unresolved.ts';

export interface ListedImage {
  readonly image: string;
  /** Where it is written. */
  readonly file: string;
  readonly line: number;
}

export function createListSource(images: readonly ListedImage[]): Source {
  return {
    async *read() {
      for (const [index, listed] of images.entries()) yield itemOf(listed, index);
    },
  };
}

function itemOf({ image, file, line }: ListedImage, index: number): SourceItem {
  const text = readImageText(image);
  if (text.kind === 'unresolved') {
    return { kind: 'unresolved', unresolved: { file, line, value: clipped(image), reason: text.reason } };
  }
  const what = { kind: 'ImageList', namespace: undefined, name: undefined };
  const position = { file, document: 1, line };
  const { reference } = text;
  const use = { ...position, ...what, path: `list[${index}]`, rule: 'list', role: 'listed', image, reference } as const;
  const workload = {
    ...position,
    ...what,
    apiVersion: '',
    template: 'list',
    images: [use],
    replicas: undefined,
    isOnEveryNode: false,
  };
  return { kind: 'workload', workload: { ...workload, pod: ANYWHERE } };
}
