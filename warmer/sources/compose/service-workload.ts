/** A service, or a model, of a compose project as a workload (compose-spec 05-services.md). Pure. */
import { ANYWHERE } from '../extract/pod-constraints.ts';
import { readImageText } from '../extract/image-text.ts';
import type { SourceItem } from '../source.ts';
import { clipped } from '../unresolved.ts';
import type { ImageRole, ImageUse } from '../workload.ts';
import { type ComposeNode, entry, itemsOf, numberOf, textOf } from './compose-node.ts';

/** Images that are made where they are used are not pulled. */
const NOT_PULLED = new Set(['build', 'never']);

export interface NamedService {
  readonly kind: 'ComposeService' | 'ComposeModel';
  readonly project: string;
  readonly name: string;
  readonly node: ComposeNode;
}

interface ImagePlace {
  readonly node: ComposeNode;
  readonly path: string;
  readonly role: ImageRole;
}

export function serviceItems(service: NamedService): SourceItem[] {
  const { kind, project, name, node } = service;
  const items: SourceItem[] = [];
  const images: ImageUse[] = [];
  for (const place of kind === 'ComposeModel' ? modelPlaces(service) : servicePlaces(service)) {
    const found = imageAt(place, service);
    if ('reason' in found) items.push({ kind: 'unresolved', unresolved: found });
    else images.push(found);
  }
  if (images.length === 0) return items;
  const deploy = entry(node, 'deploy');
  const workload = {
    ...{ file: node.file, document: 1, line: node.line, apiVersion: 'compose', kind, namespace: project, name },
    template: images[0]?.path.replace(/\.\w+$/, '') ?? '',
    images,
    replicas: numberOf(entry(node, 'scale')) ?? numberOf(entry(deploy, 'replicas')),
    isOnEveryNode: textOf(entry(deploy, 'mode')) === 'global',
    pod: { ...ANYWHERE, platform: textOf(entry(node, 'platform')) },
  };
  return [...items, { kind: 'workload', workload }];
}

function servicePlaces({ name, node }: NamedService): ImagePlace[] {
  const base = `services.${name}`;
  const image = entry(node, 'image');
  const isPulled = !NOT_PULLED.has(textOf(entry(node, 'pull_policy')) ?? '');
  const hooks = itemsOf(entry(node, 'pre_start')).map((hook, index) => ({
    ...{ node: entry(hook, 'image'), path: `${base}.pre_start[${index}].image`, role: 'init' as const },
  }));
  const volumes = itemsOf(entry(node, 'volumes')).map((volume, index) => {
    const isImage = textOf(entry(volume, 'type')) === 'image';
    const source = isImage ? entry(volume, 'source') : undefined;
    return { node: source, path: `${base}.volumes[${index}].source`, role: 'volume' as const };
  });
  const own = { node: isPulled ? image : undefined, path: `${base}.image`, role: 'container' as const };
  return [own, ...hooks, ...volumes].flatMap((place) =>
    place.node === undefined ? [] : [{ ...place, node: place.node }],
  );
}

function modelPlaces({ name, node }: NamedService): ImagePlace[] {
  const model = entry(node, 'model');
  return model === undefined ? [] : [{ node: model, path: `models.${name}.model`, role: 'artifact' }];
}

function imageAt({ node, path, role }: ImagePlace, { kind, project, name }: NamedService) {
  const { file, line } = node;
  const position = { file, document: 1, line };
  const image = node.kind === 'scalar' ? String(node.value ?? '') : '';
  const raw = node.kind === 'scalar' ? String(node.raw ?? '') : '';
  if (node.kind === 'scalar' && node.problem !== undefined) {
    return { ...position, value: clipped(raw), reason: node.problem };
  }
  const text = readImageText(image);
  if (text.kind === 'unresolved') return { ...position, value: clipped(raw), reason: text.reason };
  const { reference } = text;
  return { ...position, path, rule: 'compose' as const, role, image, reference, kind, namespace: project, name };
}
