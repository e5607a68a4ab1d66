/** The warmer when something is wrong: the rest goes on, and what went wrong is told with its place. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/debian/eventually.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { type SeedFleet, startSeedFleet } from '../support/seed/seed-fleet.ts';
import { testImage } from '../support/test-image.ts';
import { deployment, setUpWarmer, type WarmerSettings, type WarmerSetup } from '../support/warm/warmer-setup.ts';

const MIB = 2 ** 20;
const DEADLINE_MS = 90_000;

describe('shoal warm', () => {
  let registry: FakeRegistry;
  let fleet: SeedFleet;

  beforeAll(async () => {
    registry = await FakeRegistry.start();
    fleet = await startSeedFleet({
      registry,
      // The third has no room for anything.
      nodes: [
        { name: 'node-a', zone: 'z1' },
        { name: 'node-b', zone: 'z2' },
        { name: 'node-c', zone: 'z1', store: 'capacity = "1MiB"\nmin_free = "900TiB"' },
      ],
    });
  }, DEADLINE_MS);

  afterEach(() => {
    registry.faults = {};
    registry.log.clear();
  });

  afterAll(async () => {
    await fleet[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  }, DEADLINE_MS);

  async function put(name: string, layerSizeBytes = MIB): Promise<string> {
    registry.put(`shop/${name}`, await testImage({ seed: name, layerCount: 2, layerSizeBytes }), 'v1');
    return `${registry.host}/shop/${name}:v1`;
  }

  function setUp(settings: Partial<WarmerSettings> = {}): Promise<WarmerSetup> {
    const admin = fleet.nodes[0]?.url.replace('http://', '') ?? '';
    return setUpWarmer({ admin, registries: [registry], ...settings });
  }

  it(
    'tells a node without room and an image that is not there, and warms the rest',
    async () => {
      const good = await put('good');
      await using warmer = await setUp();
      await warmer.write('good.yaml', deployment('good', good));
      await warmer.write('gone.yaml', deployment('gone', `${registry.host}/shop/gone:v9`));
      await warmer.write('odd.yaml', deployment('odd', '{{ .Values.image }}'));
      await warmer.write('bomb.yaml', 'a: &a [1,1]\nb: [*a\n');
      const run = await warmer.json('run');
      expect(run.code).toBe(3);
      const of = (image: string) => run.json.rows.filter((row) => row.image === image);
      expect(of(good).map(({ node, state }) => [node, state])).toEqual([
        ['node-a', 'fetched'],
        ['node-b', 'fetched'],
        ['node-c', 'skipped'],
      ]);
      expect(of(good)[2]?.skipped).toContain('No room');
      expect(of(`${registry.host}/shop/gone:v9`)[0]).toMatchObject({
        state: 'failed',
        failed: { code: 'NOT_FOUND', retriable: false },
        used_by: [{ file: join(warmer.manifests, 'gone.yaml'), line: 12 }],
      });
      const told = run.json.unresolved.map(({ file, line }) => `${file}:${line}`);
      for (const place of ['gone.yaml:12', 'odd.yaml:12', 'bomb.yaml:3']) {
        expect(told).toContain(join(warmer.manifests, place));
      }
      const text = await warmer.warm('run');
      expect(text.stdout).toContain('gone.yaml:12');
      expect(text.stdout).toContain('2 of 3');
    },
    DEADLINE_MS,
  );

  it(
    'leaves a registry that is at its limit alone, and says when to come again',
    async () => {
      const [one, two] = [await put('limit-a'), await put('limit-b')];
      await using warmer = await setUp();
      await warmer.write('one.yaml', deployment('one', one));
      await warmer.write('two.yaml', deployment('two', two));
      // Fewer pulls left than are kept for others: not even one manifest is fetched.
      registry.faults = { headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '7;w=21600' } };
      const run = await warmer.json('run');
      expect(run.code).toBe(1);
      const failed = run.json.rows.map((row) => row.failed);
      expect(failed[0]).toMatchObject({ code: 'RESOURCE_EXHAUSTED', retriable: true });
      expect(registry.log.of(/manifests/).filter(({ method }) => method === 'GET')).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'hands nodes a token for a private image, made of the pull secret, and for its repository alone',
    async () => {
      const reference = await put('private');
      registry.faults = { auth: { kind: 'bearer', users: { robot: 'pass-7319' } } };
      await using warmer = await setUp();
      const config = { auths: { [registry.host]: { username: 'robot', password: 'pass-7319' } } };
      const secret = [
        'apiVersion: v1',
        'kind: Secret',
        'type: kubernetes.io/dockerconfigjson',
        'metadata: { name: regcred, namespace: shop }',
        `stringData: { .dockerconfigjson: '${JSON.stringify(config)}' }`,
        '',
      ].join('\n');
      await warmer.write('web.yaml', `${deployment('web', reference, { secret: 'regcred' })}---\n${secret}`);
      const run = await warmer.json('run');
      expect(run.json.rows.slice(0, 2)).toMatchObject([{ state: 'fetched' }, { state: 'fetched' }]);
      expect(JSON.stringify(run)).not.toContain('pass-7319');
      for (const { log } of fleet.nodes) expect(log()).not.toContain('pass-7319');
    },
    DEADLINE_MS,
  );

  it(
    'forbids nobody else when one image is forbidden',
    async () => {
      const [open, shut] = [await put('open'), await put('shut')];
      registry.faults = { refuse: { status: 403, times: 1000, only: /\/shop\/shut\// } };
      await using warmer = await setUp();
      await warmer.write('open.yaml', deployment('open', open));
      await warmer.write('shut.yaml', deployment('shut', shut));
      const run = await warmer.json('run');
      expect(run.code).toBe(3);
      const shutRow = run.json.rows.find(({ image }) => image === shut);
      expect(shutRow).toMatchObject({ state: 'failed', failed: { code: 'PERMISSION_DENIED', retriable: false } });
      expect(run.json.totals).toMatchObject({ fetched: 2 });
    },
    DEADLINE_MS,
  );

  it(
    'does nothing while paused',
    async () => {
      await using warmer = await setUp({ target: 'parallel_nodes = 0' });
      await warmer.write('web.yaml', deployment('web', await put('paused')));
      const run = await warmer.json('run');
      expect(run.code).toBe(3);
      expect(run.json.rows[0]).toMatchObject({ state: 'skipped', skipped: 'Paused: target.parallel_nodes is 0' });
    },
    DEADLINE_MS,
  );

  it(
    'does the work once when two are started, and only what is missing when one was interrupted',
    async () => {
      const reference = await put('long', 16 * MIB);
      registry.faults = { bytesPerSecond: MIB / 2 };
      await using warmer = await setUp();
      await warmer.write('web.yaml', deployment('web', reference));
      const main = join(import.meta.dirname, '../../cli/main.ts');
      const first = spawn(process.execPath, [main, 'warm', 'run', '--config', warmer.configFile], {
        env: { PATH: process.env.PATH, HOME: warmer.directory },
        stdio: ['ignore', 'ignore', 'ignore'],
      });
      const ended = once(first, 'close');
      await eventually(
        async () => registry.log.blobBytes(),
        (bytes) => bytes > 0,
      );
      const second = await warmer.json('run');
      expect(second.code).toBe(0);
      expect(second.stderr).toContain('is at work');
      await sleep(500);
      expect(first.exitCode).toBeNull();
      first.kill('SIGTERM');
      expect((await ended)[0]).toBe(1);
      registry.faults = {};
      const third = await warmer.json('run');
      expect(third.json.rows.slice(0, 2)).toMatchObject([{ verified: true }, { verified: true }]);
    },
    DEADLINE_MS,
  );

  it(
    'plans without a node, and fails to run without one',
    async () => {
      await using warmer = await setUp({ admin: '127.0.0.1:9' });
      await warmer.write('web.yaml', deployment('web', await put('alone'), { scaler: true }));
      const offline = await warmer.json('plan', '--offline', '--now', '2026-11-21T07:40:00Z');
      expect(offline).toMatchObject({ code: 0, json: { images: [{ digest: null, bytes: null }], nodes: [] } });
      expect(offline.json.events[0]?.start_by).toBe('2026-11-21T07:45:00Z');
      expect(registry.log.lines()).toEqual([]);
      const plan = await warmer.json('plan');
      expect(plan.code).toBe(3);
      expect(plan.json.images[0]?.bytes).toBeGreaterThan(2 * MIB);
      const run = await warmer.warm('run');
      expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('does not answer')]);
    },
    DEADLINE_MS,
  );

  it(
    'sees an event that is near while it serves, catches up a node that comes, and ends at SIGTERM',
    async () => {
      const reference = await put('served');
      await using warmer = await setUp({ schedule: 'cron = ""', top: 'metrics_listen = "127.0.0.1:0"' });
      await warmer.write('paused.yaml', pausedRollout(reference));
      const main = join(import.meta.dirname, '../../cli/main.ts');
      const daemon = spawn(process.execPath, [main, 'warm', 'serve', '--config', warmer.configFile], {
        env: { PATH: process.env.PATH, HOME: warmer.directory },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let log = '';
      daemon.stderr.setEncoding('utf8').on('data', (text) => {
        log += text;
      });
      const ended = once(daemon, 'close');
      try {
        await eventually(
          async () => log,
          (text) => text.includes('Run ended'),
        );
        const address = /"metrics":"([^"]+)"/.exec(log)?.[1];
        const metrics = await (await fetch(`http://${address}/metrics`)).text();
        expect(metrics).toMatch(/^shoal_warm_runs_total\{result="(?:part|done)"\} 1$/m);
        await fleet.add({ name: 'node-d', zone: 'z2' });
        await eventually(
          async () => log,
          (text) => text.includes('New members') && text.split('Run ended').length >= 3,
        );
        const gate = await warmer.json('gate', '--quorum', '3');
        expect(gate.json.images[0]).toMatchObject({ warm: 3, nodes: 4, is_warm: true });
      } finally {
        daemon.kill('SIGTERM');
      }
      expect((await ended)[0]).toBe(0);
    },
    DEADLINE_MS,
  );
});

/** A Deployment that waits for its rollout: due as long as it stands there. */
function pausedRollout(image: string): string {
  return deployment('paused', image).replace('  replicas: 1', '  replicas: 1\n  paused: true');
}
