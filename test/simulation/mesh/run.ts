/**
 * The scenarios as a command: `node test/simulation/mesh/run.ts --members 10000 [--seed 1]`. Prints one line of JSON for
 * each, with its CPU time and the memory held. Ten thousand members hold ten thousand tables of ten thousand entries, some
 * 6 GiB, so give it room: `node --max-old-space-size=14000 test/simulation/mesh/run.ts --members 10000`.
 */
import { parseArgs } from 'node:util';
import { detection, falsePositives, joinConvergence, traffic } from './scenarios.ts';

const { values } = parseArgs({
  options: { members: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const terms = { members: Number(values.members), seed: Number(values.seed) };

const SCENARIOS = {
  join: () => joinConvergence(terms),
  detection: () => detection(terms),
  'loss of 5 %': () => falsePositives({ ...terms, loss: 0.05, ms: 30_000 }),
  traffic: () => traffic({ ...terms, ms: 30_000 }),
};

for (const [scenario, run] of Object.entries(SCENARIOS)) {
  const before = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = Math.round((user + system) / 1e4) / 100;
  const residentMiB = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(JSON.stringify({ scenario, ...terms, ...result, cpuSeconds, residentMiB }));
}
