/** Registries that refuse, and what is told of it: the registry's own word, and whether to try again; once it gives, the same seed does. */
import { expect, it } from '@jest/globals';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import type { Faults } from '../support/fake-registry/faults.ts';
import { resultsOf, startSeedFleet } from '../support/seed/seed-fleet.ts';
import { seedImage, seedRequest } from '../support/seed/seed-image.ts';
import { testImage } from '../support/test-image.ts';

const NAMES = ['node-a', 'node-b'];
const DEADLINE_MS = 120_000;

it(
  'a seed says what the registry said, and is done once the registry gives',
  async () => {
    await using registry = await FakeRegistry.start();
    const nodes = NAMES.map((name) => ({ name }));
    await using fleet = await startSeedFleet({ registry, nodes });
    const cases: [string, Faults, { code: string; retriable: boolean }][] = [
      ['missing', { refuse: { status: 404, times: 1e9, only: /blobs/ } }, { code: 'NOT_FOUND', retriable: false }],
      [
        'forbidden',
        { refuse: { status: 403, times: 1e9, only: /blobs/ } },
        { code: 'PERMISSION_DENIED', retriable: false },
      ],
    ];
    for (const [name, faults, expected] of cases) {
      const image = await testImage({ seed: name, layerCount: 2, layerSizeBytes: 2 ** 20 });
      registry.put(`team/${name}`, image, 'v1');
      const wanted = seedImage(image, registry.host, `team/${name}`);
      registry.faults = faults;
      const refused = resultsOf((await fleet.nodes[0]?.seed(seedRequest([wanted], NAMES))) ?? []);
      for (const result of refused) expect([name, result]).toMatchObject([name, { state: 'failed', ...expected }]);
      registry.faults = {};
      const given = resultsOf((await fleet.nodes[0]?.seed(seedRequest([wanted], NAMES))) ?? []);
      expect(given.map(({ state, reason }) => [name, state, reason])).toEqual(NAMES.map(() => [name, 'fetched', null]));
    }
    const image = await testImage({ seed: 'limit', layerCount: 2, layerSizeBytes: 2 ** 20 });
    registry.put('team/limit', image, 'v1');
    const wanted = seedImage(image, registry.host, 'team/limit');
    registry.faults = { refuse: { status: 429, times: 1e9, retryAfter: '60', only: /blobs/ } };
    const limits = { node_deadline_seconds: 8 };
    const limited = resultsOf((await fleet.nodes[0]?.seed(seedRequest([wanted], NAMES, { limits }))) ?? []);
    for (const result of limited) expect(result).toMatchObject({ state: 'failed', retriable: true });
    process.stderr.write(
      `seed: at a registry's limit: ${limited.map(({ code, reason }) => `${code} ${reason}`).join('; ')}\n`,
    );
    registry.faults = { wrongBytes: true };
    const lied = resultsOf((await fleet.nodes[0]?.seed(seedRequest([wanted], NAMES, { limits }))) ?? []);
    for (const result of lied) expect(result).toMatchObject({ state: 'failed', retriable: true });
    process.stderr.write(
      `seed: a registry that lies: ${lied.map(({ code, reason }) => `${code} ${reason}`).join('; ')}\n`,
    );
  },
  DEADLINE_MS,
);
