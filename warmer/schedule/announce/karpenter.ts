/** Karpenter: nodes that are replaced come back cold. Which pods will land there is not said, so no images are named. */
import { listField, textField } from '../../sources/extract/values.ts';
import { STANDARD_DIALECT } from '../cron/cron-dialect.ts';
import { parseGoDuration } from '../../../core/runtime/go-duration.ts';
import { timeField, wholeField } from '../world/fields.ts';
import { type Announcer, attempt } from './announcement.ts';
import { cronTimes } from './cron-times.ts';

/** A node ends `expireAfter` after it was made. */
export const announceNodeClaim: Announcer = (object, world) => {
  const path = ['spec', 'expireAfter'];
  const expiry = textField(object.value, ...path);
  const madeMs = timeField(object.value, 'metadata', 'creationTimestamp');
  if (expiry === undefined || expiry === 'Never' || madeMs === undefined) return [];
  return attempt({ path, value: expiry }, () => {
    const at = Math.max(madeMs + parseGoDuration(expiry), world.nowMs);
    return at > world.untilMs ? [] : [{ times: [at], replicas: 1, targets: [], path }];
  });
};

/** Disruption is free again when a budget that allowed none ends, and begins with one that allows some. Always UTC. */
export const announceNodePool: Announcer = (object, world) =>
  listField(object.value, 'spec', 'disruption', 'budgets').flatMap((budget, index) => {
    const expression = textField(budget, 'schedule');
    if (expression === undefined) return [];
    const path = ['spec', 'disruption', 'budgets', index, 'schedule'];
    return attempt({ path, value: expression }, () => {
      const isClosed = ['0', '0%'].includes(String(wholeField(budget, 'nodes') ?? textField(budget, 'nodes')));
      const offsetMs = isClosed ? parseGoDuration(textField(budget, 'duration') ?? '') : 0;
      const plan = { expression, dialect: STANDARD_DIALECT, zone: 'UTC', afterMs: world.nowMs - offsetMs };
      const { times, ...told } = cronTimes(plan, world);
      const due = times.map((time) => time + offsetMs).filter((time) => time <= world.untilMs);
      return [{ ...told, times: due, targets: [], path }];
    });
  });
