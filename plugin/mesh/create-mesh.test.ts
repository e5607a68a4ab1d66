import { afterEach, describe, expect, it } from '@jest/globals';
import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, silentLogger } from '../../core/runtime/log.ts';
import { createMetrics, noMetrics } from '../../core/runtime/metrics.ts';
import { createMesh } from './create-mesh.ts';
import { STREAMS_PER_ADDRESS_MAX } from './limits.ts';
import { type Mesh, nodeOfTags, tagsOfNode } from './mesh.ts';
import type { MeshOptions } from './mesh-options.ts';
import { Keyring } from './wire/keyring.ts';

const TAG = { zone: 'z', peerPort: 7948, version: '1', mode: 'full' } as const;
const KEY_A = new Uint8Array(16).fill(1);
const KEY_B = new Uint8Array(16).fill(2);
const FAST = { gossipIntervalMs: 20, probeIntervalMs: 200, probeTimeoutMs: 80, streamTimeoutMs: 500 };
const deadline = (ms: number) => performance.now() + ms;

describe('createMesh()', () => {
  const running: Mesh[] = [];
  const sockets: Socket[] = [];

  async function start(
    name: string,
    options: Partial<MeshOptions> = {},
    deps: { log?: Logger; metrics?: typeof noMetrics } = {},
  ) {
    const mesh = createMesh(
      { log: silentLogger, metrics: noMetrics, ...deps },
      {
        name,
        bind: { host: '127.0.0.1', port: 0 },
        join: [],
        tags: tagsOfNode(TAG),
        preset: 'local',
        timings: FAST,
        ...options,
      },
    );
    await mesh.start({ signal: new AbortController().signal });
    running.push(mesh);
    return mesh;
  }

  const joinOf = (mesh: Mesh): Partial<MeshOptions> => ({
    join: [{ kind: 'address', address: { host: mesh.self().address, port: mesh.self().port } }],
  });

  async function until(isThere: () => boolean, ms = 8_000): Promise<void> {
    for (const end = deadline(ms); !isThere(); await sleep(20)) {
      if (performance.now() > end) throw new Error('It does not come');
    }
  }

  const stateOf = (mesh: Mesh, name: string) => mesh.members().find((member) => member.name === name)?.state;

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(running.splice(0).map((mesh) => mesh.stop()));
  });

  it('gives a mesh whose members know one another with their tags, and tell changes', async () => {
    const metrics = createMetrics({ process: false });
    const a = await start('a', {}, { metrics });
    const seen: string[] = [];
    a.onChange(({ before, after }) => seen.push(`${after.name} ${before?.state} ${after.state} ${after.node?.mode}`));
    const b = await start('b', joinOf(a));
    await until(() => stateOf(a, 'b') === 'alive' && stateOf(b, 'a') === 'alive');
    expect(b.members().find(({ name }) => name === 'a')).toMatchObject({ node: TAG, port: a.self().port });
    b.setTags(tagsOfNode({ ...TAG, mode: 'observer' }));
    await until(() => seen.at(-1) === 'b alive alive observer');
    const { text } = await metrics.scrape();
    expect(text).toContain('shoal_mesh_members{state="alive"} 2');
    await b.leave();
    await until(() => stateOf(a, 'b') === 'left');
    expect(seen[0]).toBe('b undefined alive full');
  }, 20_000);

  it('takes a member that is killed and comes back elsewhere under its name', async () => {
    const timings = { ...FAST, deadReclaimMs: 300, pushPullIntervalMs: 500 };
    const a = await start('a', { timings });
    const b = await start('b', { ...joinOf(a), timings });
    await until(() => stateOf(a, 'b') === 'alive');
    await b.stop();
    await until(() => stateOf(a, 'b') === 'dead');
    const again = await start('b', { ...joinOf(a), timings });
    await until(() =>
      a.members().some(({ name, port, state }) => name === 'b' && port === again.self().port && state === 'alive'),
    );
  }, 20_000);

  it('tells a member with an old key in its own log, and lets it in when it has the new one', async () => {
    const warnings: string[] = [];
    const log: Logger = { ...silentLogger, warn: (_fields, text) => void warnings.push(text), child: () => log };
    const a = await start('a', { keyring: new Keyring([KEY_A]) });
    const ring = new Keyring([KEY_B]);
    const b = await start('b', { ...joinOf(a), keyring: ring }, { log });
    await until(() => warnings.some((text) => text.includes('an old mesh key')));
    expect([a.members().length, b.members().length]).toEqual([1, 1]);
    ring.replace([KEY_A, KEY_B]);
    await until(() => stateOf(a, 'b') === 'alive' && stateOf(b, 'a') === 'alive');
  }, 20_000);

  it('closes streams that send nothing, nonsense or too much, keeps to its bound, and lives on', async () => {
    const metrics = createMetrics({ process: false });
    const a = await start('a', {}, { metrics });
    const { address: host, port } = a.self();
    const open = (first?: Buffer) => {
      const socket = connect({ host, port });
      sockets.push(socket);
      socket.on('error', () => undefined);
      if (first !== undefined) socket.write(first);
      socket.resume();
      return new Promise<void>((resolve) => socket.once('close', () => resolve()));
    };
    const silent = Array.from({ length: STREAMS_PER_ADDRESS_MAX + 20 }, () => open());
    await Promise.all(silent);
    await Promise.all([
      open(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
      open(Buffer.alloc(100_000, 0)),
      open(Buffer.of(6, 0xff)),
    ]);
    const { text } = await metrics.scrape();
    expect(text).toContain('shoal_mesh_dropped_total{reason="streams_full"} 20');
    expect(text).toContain(`shoal_mesh_dropped_total{reason="timeout"} ${STREAMS_PER_ADDRESS_MAX}`);
    for (const reason of ['unsupported', 'oversized', 'malformed']) expect(text).toContain(`reason="${reason}"} 1`);
    const b = await start('b', joinOf(a));
    await until(() => stateOf(b, 'a') === 'alive');
  }, 20_000);

  it('keeps to loopback, whatever it is told to advertise, without a key', async () => {
    const open = { bind: { host: '0.0.0.0', port: 0 }, advertise: { host: '192.0.2.1', port: 7946 } };
    expect((await start('a', open)).self().address).toBe('127.0.0.1');
    expect((await start('b', { ...open, keyring: new Keyring([KEY_A]) })).self()).toMatchObject({
      address: '192.0.2.1',
      port: 7946,
    });
  });

  it('says which address it cannot have, and can be stopped twice', async () => {
    const a = await start('a');
    const { address: host, port } = a.self();
    await expect(start('b', { bind: { host, port } })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await a.stop();
    await a.stop();
    expect(a.members()).toEqual([]);
  });

  it('refuses when a name is empty or tags are too long', () => {
    const deps = { log: silentLogger, metrics: noMetrics };
    const options: MeshOptions = {
      name: '',
      bind: { host: '127.0.0.1', port: 0 },
      join: [],
      tags: new Map(),
      preset: 'lan',
    };
    expect(() => createMesh(deps, options)).toThrow('1 to 255 bytes');
    expect(() => createMesh(deps, { ...options, name: 'a', tags: new Map([['x', 'y'.repeat(600)]]) })).toThrow('512');
  });
});

describe('nodeOfTags()', () => {
  it('gives the node only when its tags make sense', () => {
    const tags = tagsOfNode(TAG);
    expect(nodeOfTags(tags)).toEqual(TAG);
    for (const [name, value] of [
      ['shoal_peer', '0'],
      ['shoal_peer', '70000'],
      ['shoal_peer', 'x'],
      ['shoal_mode', 'no'],
    ] as const) {
      expect(nodeOfTags(new Map([...tags, [name, value]]))).toBeUndefined();
    }
    expect(nodeOfTags(new Map([['role', 'web']]))).toBeUndefined();
  });
});
