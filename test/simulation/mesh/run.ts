/**
 * The scenarios as a command: `node test/simulation/mesh/run.ts --members 10000 [--seed 1] [--scenario join,detection]`.
 * Prints one line of JSON for each, with its CPU time and the memory held. Ten thousand members hold ten thousand tables of ten thousand entries, some
 * 6 GiB, so give it room: `node --max-old-space-size=14000 test/simulation/mesh/run.ts --members 10000`.
 */
import { parseArgs } from 'node:util';
import { detection, falsePositives, joinConvergence, partition, slowMembers, traffic } from './scenarios.ts';

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    scenario: { type: 'string', default: 'join,detection,loss5,traffic' },
  },
});
const terms = { members: Number(values.members), seed: Number(values.seed) };

const SCENARIOS: Readonly<Record<string, () => object>> = {
  join: () => joinConvergence(terms),
  detection: () => detection(terms),
  loss1: () => falsePositives({ ...terms, loss: 0.01, ms: 30_000 }),
  loss5: () => falsePositives({ ...terms, loss: 0.05, ms: 30_000 }),
  loss20: () => falsePositives({ ...terms, loss: 0.2, ms: 30_000 }),
  slow: () => slowMembers({ ...terms, share: 0.1, slownessMs: 1_500, ms: 30_000 }),
  partition: () => partition({ ...terms, cutMs: 90_000 }),
  traffic: () => traffic({ ...terms, ms: 30_000 }),
};

for (const scenario of values.scenario.split(',')) {
  const run = SCENARIOS[scenario];
  if (run === undefined) throw new Error(`"${scenario}" is not one of ${Object.keys(SCENARIOS).join(', ')}`);
  const before = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = Math.round((user + system) / 1e4) / 100;
  const residentMiB = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(JSON.stringify({ scenario, ...terms, ...result, cpuSeconds, residentMiB }));
}
