/** kube-green's SleepInfo: a whole namespace wakes (kube-green/kube-green `api/v1alpha1/sleepinfo_types.go`). */
import { groupOf } from '../../sources/extract/kinds.ts';
import { field, listField, textField, textsField } from '../../sources/extract/values.ts';
import type { Workload } from '../../sources/workload.ts';
import { STANDARD_DIALECT } from '../cron/cron-dialect.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import type { World } from '../world/world.ts';
import { type Announcer, attempt, refused } from './announcement.ts';
import { cronTimes } from './cron-times.ts';

/** What sleeps unless the key says false. CronJobs may be suspended too, but waking them starts nothing. */
const SLEEPERS: readonly { kind: string; key: string }[] = [
  { kind: 'Deployment', key: 'suspendDeployments' },
  { kind: 'StatefulSet', key: 'suspendStatefulSets' },
];

export const announceKubeGreen: Announcer = (object, world) => {
  const wakeUpAt = field(object.value, 'spec', 'wakeUpAt');
  if (wakeUpAt === undefined || wakeUpAt === '') return [];
  const path = ['spec', 'wakeUpAt'];
  return attempt({ path, value: wakeUpAt }, () => {
    const zone = textField(object.value, 'spec', 'timeZone') ?? 'UTC';
    const told = cronTimes({ expression: wakeUpExpression(object), dialect: STANDARD_DIALECT, zone }, world);
    const targets = wakingWorkloads(object, world);
    return [{ ...told, targets, replicas: podsOf(targets), path }];
  });
};

function wakeUpExpression({ value }: ManifestObject): string {
  const weekdays = textField(value, 'spec', 'weekdays');
  const parts = (textField(value, 'spec', 'wakeUpAt') ?? '').split(':');
  if (weekdays === undefined) throw refused('"weekdays" is missing');
  if (parts.length !== 2) throw refused('"wakeUpAt" is not of the form hours:minutes');
  return `${parts[1]} ${parts[0]} * * ${weekdays}`;
}

function wakingWorkloads(object: ManifestObject, world: World): Workload[] {
  const spec = field(object.value, 'spec');
  const kinds = SLEEPERS.filter(({ key }) => field(spec, key) !== false).map(({ kind }) => kind);
  const included = listField(spec, 'includeRef');
  const isIn = (references: readonly unknown[], workload: Workload) =>
    references.some((reference) => isReferred(reference, workload, world));
  return world.workloads
    .inNamespace(object.namespace)
    .filter((workload) => kinds.includes(workload.kind))
    .filter((workload) => included.length === 0 || isIn(included, workload))
    .filter((workload) => !isIn(listField(spec, 'excludeRef'), workload));
}

function isReferred(reference: unknown, workload: Workload, world: World): boolean {
  const apiVersion = textField(reference, 'apiVersion');
  const kind = textField(reference, 'kind');
  const name = textField(reference, 'name');
  if (apiVersion !== undefined && groupOf(apiVersion) !== groupOf(workload.apiVersion)) return false;
  if ((kind !== undefined && kind !== workload.kind) || (name !== undefined && name !== workload.name)) return false;
  const wanted = Object.entries(textsField(reference, 'matchLabels'));
  if (name === undefined && wanted.length === 0) return false;
  const labels = world.objects.find({ ...workload, name: workload.name ?? '' })[0]?.labels ?? {};
  return wanted.every(([key, value]) => labels[key] === value);
}

function podsOf(workloads: readonly Workload[]): number | undefined {
  // While they sleep they tell zero, which is not what they wake to.
  const total = workloads.reduce((sum, { replicas }) => sum + (replicas ?? 0), 0);
  return total === 0 ? undefined : total;
}
