import { once } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { parseDigest } from '../core/oci/digest.ts';
import { CodedError } from '../core/runtime/errors.ts';
import { systemClock } from '../core/runtime/clock.ts';
import { silentLogger } from '../core/runtime/log.ts';
import { createMetrics } from '../core/runtime/metrics.ts';
import { type AdminServer, createAdmin } from '../plugin/admin/admin-server.ts';
import { FakeSeedDesk } from '../plugin/seed/fakes/fake-seed-desk.ts';
import type { AdminDeps, PullProgress } from '../plugin/admin/admin.ts';
import { runShoal } from '../test/support/cli/run-shoal.ts';

// Each test starts the program at least once, on machines that have other things to do.
jest.setTimeout(60_000);

const A = parseDigest(`sha256:${'a'.repeat(64)}`);
const B = parseDigest(`sha256:${'b'.repeat(64)}`);

let running: AdminServer | undefined;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

/** A node's admin address with made-up contents. */
async function node(deps: Partial<AdminDeps> = {}, token?: string): Promise<string> {
  const admin = createAdmin(
    {
      status: () => ({
        name: 'node-a',
        zone: 'z1',
        version: '1.2.3',
        startedAtMs: Date.now() - 61_500,
        content: { socket: '/s', root: '/r', claim: 'fleet', containerd: 'reachable' },
        store: {
          blobs: 2,
          bytes: 3 * 2 ** 20,
          bytesByHold: { containerd: 2 ** 20, cache: 2 ** 21, pin: 0 },
          capacityBytes: 2 ** 30,
          freeBytes: 2 ** 40,
        },
        pins: { count: 2, lastUntilMs: 3_600_000 },
        claims: 1,
        flights: 0,
        mesh: {
          hasKey: true,
          isInsecure: false,
          bind: '0.0.0.0:7946',
          peer: '0.0.0.0:7948',
          members: { alive: 3, dead: 1 },
          banned: ['node-x'],
          joinFailure: undefined,
          strangers: [],
        },
      }),
      readiness: () => ({ ready: false, reason: 'starting' }),
      blobs: () => [
        { digest: A, size: 1024, holds: ['containerd', 'cache'], createdAtMs: 0, usedAtMs: 0 },
        { digest: B, size: 5, holds: ['cache', 'pin'], createdAtMs: 0, usedAtMs: 0, pinnedUntilMs: 3_600_000 },
      ],
      claims: () => [],
      flights: () => [],
      members: () => [],
      swarms: () => [],
      pins: () => [],
      seeding: new FakeSeedDesk(),
      sourcesOf: () => [],
      ownFacts: () => Promise.reject(new Error('Not asked')),
      survey: undefined,
      clock: systemClock,
      pull: () => steps([]),
      metrics: createMetrics({ process: false }),
      log: silentLogger,
      ...deps,
    },
    { listen: { host: '127.0.0.1', port: 0 }, ...(token === undefined ? {} : { token }) },
  );
  running = admin;
  await admin.start({ signal: new AbortController().signal });
  return admin.address() ?? '';
}

async function* steps(list: readonly PullProgress[], failure?: Error): AsyncGenerator<PullProgress, void> {
  yield* list;
  if (failure !== undefined) throw failure;
}

function step(digest: typeof A, bytesPresent: number, state: string): PullProgress {
  return { digest, mediaType: 'layer', size: 2048, bytesPresent, state };
}

const WHOLE = [
  step(A, 0, 'waiting'),
  step(B, 0, 'waiting'),
  step(A, 1024, 'fetching'),
  step(A, 2048, 'done'),
  step(B, 2048, 'done'),
];

describe('shoal status', () => {
  it('prints what the node says, and as JSON', async () => {
    const admin = await node();
    const [plain, json] = await Promise.all([
      runShoal(['status', '--admin', admin]),
      runShoal(['status', '--admin', admin, '--json']),
    ]);
    expect(plain).toMatchObject({ code: 0, stderr: '' });
    expect(plain.stdout).toMatch(/^node +node-a in z1\nready +no: starting\nversion +1\.2\.3, up 1m\d+s\n/);
    expect(plain.stdout).toContain('cache 2 MiB of 1 GiB, pins 0 B (2, the last until 1970-01-01T01:00:00.000Z)');
    expect(plain.stdout).toContain('3 alive, 1 dead; sealed; banned: node-x');
    expect(JSON.parse(json.stdout)).toMatchObject({ name: 'node-a', ready: false, store: { free_bytes: 2 ** 40 } });
  });
});

describe('shoal members', () => {
  const MEMBER = { name: 'node-b', address: '10.0.0.2', port: 7946, state: 'alive' };

  it('prints a row for each member, serf agents included, and one JSON document', async () => {
    const shoal = { zone: 'z1', peerPort: 7948, version: '1.2.3', mode: 'leech' };
    const admin = await node({
      members: () => [
        { ...MEMBER, node: shoal },
        { ...MEMBER, name: 'agent', state: 'left', node: undefined },
      ],
    });
    const plain = await runShoal(['members', '--admin', admin]);
    expect(plain.stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAME', 'ADDRESS', 'STATE', 'ZONE', 'MODE', 'VERSION'],
      ['node-b', '10.0.0.2:7946', 'alive', 'z1', 'leech', '1.2.3'],
      ['agent', '10.0.0.2:7946', 'left', '(no Shoal node)'],
      [''],
    ]);
    const json = await runShoal(['members', '--admin', admin, '--json']);
    expect(JSON.parse(json.stdout).members[0]).toMatchObject({ name: 'node-b', node: { peer_port: 7948, zone: 'z1' } });
  });

  it('says so when there is no mesh', async () => {
    expect((await runShoal(['members', '--admin', await node()])).stdout).toContain('mesh.enabled');
  });
});

describe('shoal swarms', () => {
  it('prints a row for each swarm, and one JSON document', async () => {
    const swarm = {
      digest: A,
      size: 16 * 2 ** 20,
      pieces: 4,
      piecesHere: 3,
      neighbours: ['b', 'c'],
      owner: 'b',
      leases: 1,
      bytesFromPeers: 2 ** 23,
      bytesFromSource: 2 ** 22,
    };
    const admin = await node({ swarms: () => [swarm] });
    const plain = await runShoal(['swarms', '--admin', admin]);
    expect(plain.stdout.split('\n')[1]).toMatch(new RegExp(`^${A} +16 MiB +3/4 +8 MiB +4 MiB +2 +b$`));
    const json = await runShoal(['swarms', '--admin', admin, '--json']);
    expect(JSON.parse(json.stdout)).toEqual({ swarms: [expect.objectContaining({ pieces_here: 3, owner: 'b' })] });
  });

  it('says so when there is none', async () => {
    expect((await runShoal(['swarms', '--admin', await node()])).stdout).toBe('No swarm runs\n');
  });
});

describe('shoal blobs', () => {
  it('prints a row for each blob, and one JSON document', async () => {
    const admin = await node();
    const [plain, json] = await Promise.all([
      runShoal(['blobs', '--admin', admin]),
      runShoal(['blobs', '--admin', admin, '--json']),
    ]);
    expect(plain.stdout.split('\n')).toEqual([
      expect.stringMatching(/^DIGEST +SIZE {2}HELD BY +LAST USED +PINNED UNTIL$/),
      expect.stringMatching(new RegExp(`^${A} +1 KiB {2}containerd, cache +1970-01-01T00:00:00`)),
      expect.stringMatching(new RegExp(`^${B} +5 B {2}cache, pin +1970\\S+ +1970-01-01T01:00:00.000Z$`)),
      '',
    ]);
    expect(JSON.parse(json.stdout).blobs.map(({ digest }: { digest: string }) => digest)).toEqual([A, B]);
  });

  it('--json of a node without blobs is a document too', async () => {
    const admin = await node({ blobs: () => [] });
    expect(JSON.parse((await runShoal(['blobs', '--admin', admin, '--json'])).stdout)).toEqual({ blobs: [] });
  });
});

describe('shoal pull', () => {
  it('tells each finished blob on stderr and the result on stdout', async () => {
    const admin = await node({ pull: () => steps(WHOLE) });
    const { code, stdout, stderr } = await runShoal(['pull', 'nginx', '--admin', admin]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^docker\.io\/library\/nginx:latest: 2 blobs, 4 KiB, in \S+\n$/);
    expect(stderr.split('\n')).toEqual([
      `done ${A} 2 KiB (1/2 blobs, 2 KiB of 4 KiB)`,
      `done ${B} 2 KiB (2/2 blobs, 4 KiB of 4 KiB)`,
      '',
    ]);
  });

  it('says that everything is here when nothing had to come, without a rate', async () => {
    const here = [A, B].flatMap((digest) => [step(digest, 0, 'waiting'), step(digest, 2048, 'done')]);
    const admin = await node({ pull: () => steps(here) });
    const { stdout, stderr } = await runShoal(['pull', 'nginx', '--admin', admin]);
    expect(stdout).toBe('docker.io/library/nginx:latest: 2 blobs, 4 KiB, everything is here already\n');
    expect(stderr).not.toContain('/s');
    const json = await runShoal(['pull', 'nginx', '--admin', admin, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ bytes: 4096, bytes_fetched: 0 });
  });

  it('--json prints one document', async () => {
    const admin = await node({ pull: () => steps(WHOLE) });
    const { stdout } = await runShoal(['pull', 'nginx', '--admin', admin, '--json', '--platform', 'linux/arm64']);
    expect(JSON.parse(stdout)).toMatchObject({
      ref: 'docker.io/library/nginx:latest',
      platform: 'linux/arm64',
      state: 'done',
      bytes: 4096,
      blobs: [
        { digest: A, state: 'done' },
        { digest: B, state: 'done' },
      ],
    });
  });

  it("a failure half-way is exit code 1 with the node's own words, in JSON as well", async () => {
    const pull = () => steps([step(A, 5, 'fetching')], new CodedError('DATA_LOSS', 'Bytes of "a" are wrong'));
    const admin = await node({ pull });
    const [plain, json] = await Promise.all([
      runShoal(['pull', 'nginx', '--admin', admin]),
      runShoal(['pull', 'nginx', '--admin', admin, '--json']),
    ]);
    expect(plain).toMatchObject({ code: 1, stdout: '', stderr: 'shoal: Bytes of "a" are wrong\n' });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ state: 'failed', error: { code: 'DATA_LOSS' }, bytes_present: 5 });
  });

  it('presents the token', async () => {
    const admin = await node({ pull: () => steps(WHOLE) }, 'tok-en');
    expect((await runShoal(['pull', 'nginx', '--admin', admin])).stderr).toContain('admin.token_file');
    const withToken = [
      'pull',
      'nginx',
      '--admin',
      admin,
      '--token-file',
      new URL('./fixtures/token', import.meta.url).pathname,
    ];
    expect((await runShoal(withToken)).code).toBe(0);
  });

  it('a node that goes away half-way is a failure', async () => {
    const admin = await node({
      pull: async function* (_ref, _platform, { signal }) {
        yield step(A, 5, 'fetching');
        setImmediate(() => void running?.stop());
        await once(signal, 'abort');
      },
    });
    const { code, stderr } = await runShoal(['pull', 'nginx', '--admin', admin]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('does not answer')]);
  });
});
