/** Karmada's CronFederatedHPA (karmada-io/karmada `pkg/controllers/cronfederatedhpa`). */
import { field, listField, textField } from '../../sources/extract/values.ts';
import { STANDARD_DIALECT } from '../cron/cron-dialect.ts';
import { isTrueField, wholeField } from '../world/fields.ts';
import { referredWorkloads } from '../world/world.ts';
import { type Announcer, attempt, refused } from './announcement.ts';
import { cronTimes } from './cron-times.ts';
import { scaleOuts } from './sized-jobs.ts';

export const announceCronFederatedHpa: Announcer = (object, world) => {
  const rules = listField(object.value, 'spec', 'rules');
  const isScaleOut = scaleOuts(rules.map(sizeOf));
  const reference = field(object.value, 'spec', 'scaleTargetRef');
  const targets = referredWorkloads(object, reference, { world, kind: 'Deployment' });
  return rules.flatMap((rule, index) => {
    if (!isScaleOut[index] || isTrueField(rule, 'suspend')) return [];
    const path = ['spec', 'rules', index, 'schedule'];
    return attempt({ path, value: field(rule, 'schedule') }, () => {
      const expression = textField(rule, 'schedule');
      if (expression === undefined) throw refused('A rule needs a "schedule"');
      const zone = textField(rule, 'timeZone') ?? world.zones.cluster;
      return [
        { ...cronTimes({ expression, dialect: STANDARD_DIALECT, zone }, world), replicas: sizeOf(rule), targets, path },
      ];
    });
  });
};

function sizeOf(rule: unknown): number | undefined {
  return wholeField(rule, 'targetReplicas') ?? wholeField(rule, 'targetMinReplicas');
}
