/** `node test/simulation/swarm/run.ts --members 5000 [--pieces 32] [--seed 1] [--scenario crowd|owner|liars|forgers|stragglers|waves]` */
import { parseArgs } from 'node:util';
import { Fleet, type FleetOptions } from './fleet.ts';

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '1000' },
    pieces: { type: 'string', default: '32' },
    seed: { type: 'string', default: '1' },
    scenario: { type: 'string', default: 'crowd' },
    registry: { type: 'string', default: '100' },
  },
});

const base: FleetOptions = {
  members: Number(values.members),
  pieces: Number(values.pieces),
  seed: Number(values.seed),
  registryMbit: Number(values.registry),
};

const scenarios: Record<string, Partial<FleetOptions>> = {
  crowd: {},
  owner: {
    onTick: (fleet) => {
      const isHalf = fleet.piecesHere >= (base.members * base.pieces) / 2;
      if (isHalf && fleet.deadCount === 0) fleet.kill(fleet.owners[0] ?? '');
    },
  },
  liars: { liars: { share: 0.1, kind: 'serve' } },
  forgers: { liars: { share: 0.1, kind: 'fetch' } },
  stragglers: { stragglers: 0.1 },
  waves: { startsAtMs: (index) => (index % 4) * 5_000 },
  late: { seeds: 1, canRead: () => false, startsAtMs: () => 2_000 },
};

const startedAt = performance.now();
const result = await new Fleet({ ...base, ...scenarios[values.scenario] }).run();
const wallSeconds = (performance.now() - startedAt) / 1000;
const share = { median: result.idealSeconds / result.medianSeconds, worst: result.idealSeconds / result.worstSeconds };
console.log(
  JSON.stringify(
    {
      scenario: values.scenario,
      ...base,
      ...result,
      share,
      wallSeconds,
      memoryMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
    },
    null,
    1,
  ),
);
