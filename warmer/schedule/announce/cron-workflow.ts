/** Argo's CronWorkflow (argoproj/argo-workflows `workflow/cron`): one schedule, or several since v3.6. */
import { field, listField, textField } from '../../sources/extract/values.ts';
import { STANDARD_DIALECT } from '../cron/cron-dialect.ts';
import { isTrueField, timeField, wholeField } from '../world/fields.ts';
import { ownWorkloads, referredWorkloads, type World } from '../world/world.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import type { Workload } from '../../sources/workload.ts';
import { type Announcer, attempt, refused } from './announcement.ts';
import { cronTimes } from './cron-times.ts';

export const announceCronWorkflow: Announcer = (object, world) => {
  if (isTrueField(object.value, 'spec', 'suspend')) return [];
  const several = listField(object.value, 'spec', 'schedules');
  const schedules =
    several.length > 0
      ? several.map((value, index) => ({ value, path: ['spec', 'schedules', index] }))
      : [{ value: field(object.value, 'spec', 'schedule'), path: ['spec', 'schedule'] }];
  return schedules.flatMap(({ value, path }) =>
    attempt({ path, value }, () => {
      if (typeof value !== 'string') throw refused('A CronWorkflow needs a schedule');
      const zone = textField(object.value, 'spec', 'timezone') ?? world.zones.cluster;
      const delayFromMs = timeField(object.value, 'status', 'lastScheduledTime');
      const told = cronTimes({ expression: value, dialect: STANDARD_DIALECT, zone, delayFromMs }, world);
      const replicas = wholeField(object.value, 'spec', 'workflowSpec', 'parallelism');
      return [{ ...told, targets: templates(object, world), replicas, path }];
    }),
  );
};

/** The workflow's own templates, or those that it takes from a WorkflowTemplate. */
function templates(object: ManifestObject, world: World): readonly Workload[] {
  const reference = field(object.value, 'spec', 'workflowSpec', 'workflowTemplateRef');
  const kind = isTrueField(reference, 'clusterScope') ? 'ClusterWorkflowTemplate' : 'WorkflowTemplate';
  const name = textField(reference, 'name');
  const elsewhere = name === undefined ? [] : referredWorkloads(object, { kind, name }, { world });
  return [...ownWorkloads(object, world), ...elsewhere];
}
