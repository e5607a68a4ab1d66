/** Argo CD's sync windows: the beginning of an allow window and the end of a deny window are the earliest roll-outs. */
import { field, listField, textField } from '../../sources/extract/values.ts';
import type { Workload } from '../../sources/workload.ts';
import { FIELDS_ONLY_DIALECT } from '../cron/cron-dialect.ts';
import { parseGoDuration } from '../../../core/runtime/go-duration.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import type { World } from '../world/world.ts';
import { type Announcer, attempt, refused } from './announcement.ts';
import { cronTimes } from './cron-times.ts';
import { isGlobMatch } from './glob.ts';

export const announceSyncWindows: Announcer = (object, world) =>
  listField(object.value, 'spec', 'syncWindows').flatMap((window, index) => {
    const path = ['spec', 'syncWindows', index, 'schedule'];
    return attempt({ path, value: field(window, 'schedule') }, () => {
      const { offsetMs, expression } = opening(window);
      const zone = textField(window, 'timeZone') ?? 'UTC';
      const plan = { expression, dialect: FIELDS_ONLY_DIALECT, zone, afterMs: world.nowMs - offsetMs };
      const { times, ...told } = cronTimes(plan, world);
      const due = times.map((time) => time + offsetMs).filter((time) => time <= world.untilMs);
      return [{ ...told, times: due, targets: windowTargets(window, object, world), path }];
    });
  });

/** How long after the window's beginning a roll-out may come. */
function opening(window: unknown): { expression: string; offsetMs: number } {
  const expression = textField(window, 'schedule');
  const kind = textField(window, 'kind');
  if (expression === undefined || (kind !== 'allow' && kind !== 'deny')) {
    throw refused('A sync window needs a "schedule" and a "kind" of allow or deny');
  }
  const durationMs = parseGoDuration(textField(window, 'duration') ?? '');
  return { expression, offsetMs: kind === 'deny' ? durationMs : 0 };
}

/** A window covers an application that any of its three lists matches. */
function windowTargets(window: unknown, project: ManifestObject, world: World): Workload[] {
  const globs = (key: string) => listField(window, key).filter((glob) => typeof glob === 'string');
  const matches = (key: string, text: string | undefined) =>
    text !== undefined && globs(key).some((glob) => isGlobMatch(glob, text));
  const applications = world.objects
    .all()
    .filter(
      ({ kind, group, value }) =>
        isApplication({ kind, group }) && textField(value, 'spec', 'project') === project.name,
    );
  const covered = applications.filter(({ name, value }) => {
    const destination = field(value, 'spec', 'destination');
    const clusters = [textField(destination, 'server'), textField(destination, 'name')];
    const namespace = textField(destination, 'namespace');
    return (
      matches('applications', name) ||
      matches('namespaces', namespace) ||
      clusters.some((text) => matches('clusters', text))
    );
  });
  const destinations = covered.map(({ value }) => textField(value, 'spec', 'destination', 'namespace'));
  // Without its applications at hand a project still says which namespaces it means.
  const named = world.workloads.namespaces().filter((name) => applications.length === 0 && matches('namespaces', name));
  return [...new Set([...destinations, ...named])].flatMap((name) => world.workloads.inNamespace(name));
}

function isApplication({ kind, group }: { kind: string; group: string }): boolean {
  return kind === 'Application' && group === 'argoproj.io';
}
