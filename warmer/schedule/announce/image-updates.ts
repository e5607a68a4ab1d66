/**
 * Tags that a robot has chosen and nobody runs yet: Flux's ImagePolicy (`status.latestRef`) and Argo CD's ImageUpdater
 * (`status.recentUpdates`). They come as soon as the commit is reconciled: due now.
 */
import { formatReference, parseReference } from '../../../core/oci/reference.ts';
import { field, listField, textField } from '../../sources/extract/values.ts';
import type { Workload } from '../../sources/workload.ts';
import type { World } from '../world/world.ts';
import { type Announcer, attempt, type Finding } from './announcement.ts';

/** Updates of one object that are looked at. */
const UPDATES_MAX = 100;

export const announceImagePolicy: Announcer = (object, world) => {
  const latest = field(object.value, 'status', 'latestRef');
  const [name, tag, digest] = ['name', 'tag', 'digest'].map((key) => textField(latest, key));
  if (name === undefined || tag === undefined) return [];
  return announceImage(
    { image: `${name}:${tag}${digest === undefined ? '' : `@${digest}`}`, path: ['status', 'latestRef'] },
    world,
  );
};

export const announceImageUpdater: Announcer = (object, world) =>
  listField(object.value, 'status', 'recentUpdates')
    .slice(0, UPDATES_MAX)
    .flatMap((update, index) => {
      const [image, version] = ['image', 'newVersion'].map((key) => textField(update, key));
      if (image === undefined || version === undefined) return [];
      return announceImage({ image: `${image}:${version}`, path: ['status', 'recentUpdates', index] }, world);
    });

/** An event for those who run another tag of the same repository; none when all of them run this one already. */
function announceImage(
  update: { image: string; path: readonly (string | number)[] },
  world: World,
): readonly Finding[] {
  const { image, path } = update;
  return attempt({ path, value: image }, () => {
    const reference = formatReference(parseReference(image));
    const isRunning = ({ images }: Workload) => images.some((use) => use.reference === reference);
    const isSame = ({ images }: Workload) =>
      images.some((use) => repositoryOf(use.reference) === repositoryOf(reference));
    const users = world.workloads.all().filter(isSame);
    const targets = users.filter((workload) => !isRunning(workload));
    if (users.length > 0 && targets.length === 0) return [];
    return [{ times: [world.nowMs], targets, newImages: [reference], path }];
  });
}

function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
}
