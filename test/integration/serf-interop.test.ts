/** A real serf agent and our mesh in one: each sees the other alive, failed and left. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { silentLogger } from '../../core/runtime/log.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import { createMesh } from '../../plugin/mesh/create-mesh.ts';
import { type Mesh, tagsOfNode } from '../../plugin/mesh/mesh.ts';
import { Keyring } from '../../plugin/mesh/wire/keyring.ts';
import { eventually } from '../support/debian/eventually.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type SerfAgent, serfUnavailable, startSerfAgent } from '../support/serf/serf-agent.ts';

const TEST_MS = 180_000;
/** A rumour that gossip lost comes with the next exchange of states, at most this later. */
const EXCHANGE_MS = 45_000;
/** Longer than any suspicion in a mesh of five: 4 s, six times that when nobody confirms it, and the probes before. */
const FAILURE_MS = 45_000;

const reason = serfUnavailable();
if (reason !== undefined) console.warn(`serf interoperation is skipped: ${reason}`);

const TAG = { zone: 'zone-1', peerPort: 7948, version: '0.1.0', mode: 'full' } as const;

(reason === undefined ? describe : describe.skip).each([
  { kind: 'without a key', key: undefined, net: 41 },
  { kind: 'with a key of 32 bytes', key: randomBytes(32), net: 42 },
])('a serf agent and our mesh $kind', ({ key, net }) => {
  const seed = `127.7.${net}.1`;
  const meshes: Mesh[] = [];
  const agents: SerfAgent[] = [];
  let directory = '';

  async function startMesh(name: string, host: string): Promise<Mesh> {
    const mesh = createMesh(
      { log: silentLogger, metrics: noMetrics },
      {
        name,
        bind: { host, port: 7946 },
        join: [{ kind: 'address', address: { host: seed, port: 7946 } }],
        tags: tagsOfNode(TAG),
        keyring: key && new Keyring([key]),
        preset: 'lan',
      },
    );
    await mesh.start({ signal: new AbortController().signal });
    meshes.push(mesh);
    return mesh;
  }

  async function startAgent(name: string, address: string): Promise<SerfAgent> {
    const secret = key === undefined ? {} : { key: key.toString('base64') };
    const agent = await startSerfAgent({ name, address, directory, join: seed, tags: { role: 'web' }, ...secret });
    agents.push(agent);
    return agent;
  }

  const statusAt = (agent: SerfAgent) => async () =>
    Object.fromEntries((await agent.members()).map(({ name, status }) => [name, status]));
  const stateAt = (mesh: Mesh) => async () =>
    Object.fromEntries(mesh.members().map(({ name, state }) => [name, state]));

  beforeEach(async () => {
    directory = await makeTestDirectory('shoal-serf-');
  });

  afterEach(async () => {
    await Promise.all(agents.splice(0).map((agent) => agent.process.kill()));
    await Promise.all(meshes.splice(0).map((mesh) => mesh.stop()));
    await removeTestDirectory(directory);
  });

  it(
    'see each other alive with addresses and tags, then killed ones failed and leaving ones left',
    async () => {
      const a = await startMesh('node-a', seed);
      const b = await startMesh('node-b', `127.7.${net}.2`);
      const c = await startMesh('node-c', `127.7.${net}.3`);
      const leaver = await startAgent('agent-leaver', `127.7.${net}.4`);
      const victim = await startAgent('agent-victim', `127.7.${net}.5`);
      const everybody = ['agent-leaver', 'agent-victim', 'node-a', 'node-b', 'node-c'];
      const isWhole = (seen: Record<string, string>) =>
        everybody.every((name) => seen[name] === 'alive') && Object.keys(seen).length === everybody.length;
      for (const agent of [leaver, victim]) await eventually(statusAt(agent), isWhole, EXCHANGE_MS);
      for (const mesh of [a, b, c]) await eventually(stateAt(mesh), isWhole, EXCHANGE_MS);

      const listed = await leaver.members();
      expect(listed.find(({ name }) => name === 'node-b')).toMatchObject({
        addr: `127.7.${net}.2:7946`,
        tags: { shoal: '0.1.0', shoal_mode: 'full', shoal_peer: '7948', shoal_zone: 'zone-1' },
      });
      const agent = a.members().find(({ name }) => name === 'agent-leaver');
      expect(agent).toMatchObject({ address: `127.7.${net}.4`, port: 7946, node: undefined });
      expect([...(agent?.tags ?? [])]).toEqual([['role', 'web']]);

      // One of ours leaves and one is gone without a word.
      await b.leave();
      await b.stop();
      await eventually(statusAt(leaver), (seen) => seen['node-b'] === 'left', FAILURE_MS);
      await c.stop();
      await eventually(statusAt(leaver), (seen) => seen['node-c'] === 'failed', FAILURE_MS);
      expect((await statusAt(leaver)())['node-b']).toBe('left');

      // The same of the agents.
      await leaver.leave();
      await eventually(stateAt(a), (seen) => seen['agent-leaver'] === 'left', FAILURE_MS);
      await victim.process.kill();
      await eventually(stateAt(a), (seen) => seen['agent-victim'] === 'dead', FAILURE_MS);
      expect(await stateAt(a)()).toMatchObject({ 'node-b': 'left', 'node-c': 'dead', 'agent-leaver': 'left' });
    },
    TEST_MS,
  );

  it(
    'take news of tags, and a member that left and comes back elsewhere',
    async () => {
      const a = await startMesh('node-a', seed);
      const b = await startMesh('node-b', `127.7.${net}.2`);
      const agent = await startAgent('agent', `127.7.${net}.4`);
      await eventually(statusAt(agent), (seen) => seen['node-b'] === 'alive', EXCHANGE_MS);
      b.setTags(tagsOfNode({ ...TAG, mode: 'leech' }));
      const modeOf = async () => (await agent.members()).find(({ name }) => name === 'node-b')?.tags.shoal_mode;
      await eventually(modeOf, (mode) => mode === 'leech', EXCHANGE_MS);
      await b.leave();
      await b.stop();
      await eventually(statusAt(agent), (seen) => seen['node-b'] === 'left', FAILURE_MS);
      await startMesh('node-b', `127.7.${net}.9`);
      const placeOf = async () => (await agent.members()).find(({ name }) => name === 'node-b');
      const back = await eventually(placeOf, (member) => member?.status === 'alive', EXCHANGE_MS);
      expect(back?.addr).toBe(`127.7.${net}.9:7946`);
      await eventually(stateAt(a), (seen) => seen['node-b'] === 'alive', EXCHANGE_MS);
    },
    TEST_MS,
  );
});

(reason === undefined ? describe : describe.skip)('a serf agent with another key', () => {
  it(
    'does not get in, and neither list shows the other',
    async () => {
      const directory = await makeTestDirectory('shoal-serf-');
      const mesh = createMesh(
        { log: silentLogger, metrics: noMetrics },
        {
          name: 'node-a',
          bind: { host: '127.7.43.1', port: 7946 },
          join: [{ kind: 'address', address: { host: '127.7.43.2', port: 7946 } }],
          tags: tagsOfNode(TAG),
          keyring: new Keyring([randomBytes(16)]),
          preset: 'local',
        },
      );
      const key = randomBytes(16).toString('base64');
      const agent = await startSerfAgent({ name: 'agent', address: '127.7.43.2', directory, key });
      try {
        await mesh.start({ signal: new AbortController().signal });
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        expect(mesh.members().map(({ name }) => name)).toEqual(['node-a']);
        expect((await agent.members()).map(({ name }) => name)).toEqual(['agent']);
      } finally {
        await mesh.stop();
        await agent.process.kill();
        await removeTestDirectory(directory);
      }
    },
    TEST_MS,
  );
});
