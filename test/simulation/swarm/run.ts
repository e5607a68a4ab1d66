/**
 * `node test/simulation/swarm/run.ts --members 5000 [--pieces 32] [--piece 4] [--seed 1] [--scenario crowd|owner|liars|forgers|holder|stragglers|waves]
 *   [--link 100] [--registry 100] [--delay 2]`: MiB, Mbit/s, and milliseconds from a request to the registry to its first byte. `--seeds 8` runs so many seeds and prints one line each.
 */
import { parseArgs } from 'node:util';
import { Fleet, type FleetOptions } from './fleet.ts';

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '1000' },
    pieces: { type: 'string', default: '32' },
    piece: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    scenario: { type: 'string', default: 'crowd' },
    registry: { type: 'string', default: '100' },
    link: { type: 'string', default: '100' },
    delay: { type: 'string', default: '2' },
    seeds: { type: 'string', default: '1' },
  },
});

const base: FleetOptions = {
  members: Number(values.members),
  pieces: Number(values.pieces),
  pieceMib: Number(values.piece),
  seed: Number(values.seed),
  registryMbit: Number(values.registry),
  registryDelayMs: Number(values.delay),
  linkMbit: Number(values.link),
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
  holder: { seeds: 1, liars: { share: 1 / base.members + 1e-9, kind: 'hold' }, startsAtMs: () => 2_000 },
  holders: { seeds: 2, liars: { share: 1 / base.members + 1e-9, kind: 'hold' }, startsAtMs: () => 2_000 },
  early: { seeds: 1, liars: { share: 1 / base.members + 1e-9, kind: 'hold' } },
  stragglers: { stragglers: 0.1 },
  waves: { startsAtMs: (index) => (index % 4) * 5_000 },
  late: { seeds: 1, canRead: () => false, startsAtMs: () => 2_000 },
};

const round = (value: number) => Math.round(value * 1000) / 1000;
for (let at = 0; at < Number(values.seeds); at += 1) {
  const startedAt = performance.now();
  const seed = base.seed + at;
  const result = await new Fleet({ ...base, seed, ...scenarios[values.scenario] }).run();
  const told = {
    scenario: values.scenario,
    ...base,
    ...result,
    shareMedian: round(result.idealSeconds / result.medianSeconds),
    shareWorst: round(result.idealSeconds / result.worstSeconds),
    wallSeconds: round((performance.now() - startedAt) / 1000),
    memoryMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
  };
  console.log(JSON.stringify(told));
}
