import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { createMetrics } from '../../core/runtime/metrics.ts';
import { FakeSeedDesk } from '../seed/fakes/fake-seed-desk.ts';
import { rowOf } from '../seed/fakes/fake-node.ts';
import { SeedWorld } from '../../test/support/seed/seed-world.ts';
import { type AdminServer, createAdmin } from './admin-server.ts';
import type { AdminDeps, AdminOptions } from './admin.ts';

const DIGEST = digestOf('{}');
const BODY = {
  pin: { name: 'event', until: '2999-01-01T00:00:00Z' },
  images: [
    {
      ref: 'registry.example/app:1',
      digest: DIGEST,
      source: { registry: 'registry.example', repository: 'app' },
      manifests: [{ digest: DIGEST, size: 2, media_type: 'm' }],
      blobs: [],
    },
  ],
  targets: ['a'],
};
const JSON_TYPE = { 'content-type': 'application/json' };
const running: AdminServer[] = [];
const never = () => {
  throw new Error('Not asked');
};

afterEach(async () => {
  await Promise.all(running.splice(0).map((admin) => admin.stop()));
});

async function start(desk: FakeSeedDesk, options: Partial<AdminOptions> & Partial<AdminDeps> = {}): Promise<string> {
  const none = () => [];
  const admin = createAdmin(
    {
      ...{ blobs: none, claims: none, flights: none, members: none, swarms: none, pins: none },
      ...{
        status: never,
        readiness: () => ({ ready: false, reason: 'test' }),
        pull: never,
        ownFacts: never,
        sourcesOf: none,
        survey: undefined,
      },
      ...{ seeding: desk, clock: systemClock, metrics: createMetrics({ process: false }), log: silentLogger },
      ...options,
    },
    { listen: { host: '127.0.0.1', port: 0 }, ...options },
  );
  running.push(admin);
  await admin.start({ signal: new AbortController().signal });
  return `http://${admin.address()}`;
}

function post(url: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) {
  const init = { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) };
  return fetch(url, { ...init, ...(signal && { signal }) });
}

async function linesOf(response: Response): Promise<unknown[]> {
  const text = await response.text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('/api/v1/seeds', () => {
  it('POST streams what is accepted, each step, and the sum', async () => {
    const desk = new FakeSeedDesk();
    const image = new SeedWorld().image('app', []);
    const failed = { ...rowOf(0, 'failed'), reason: 'No', code: 'NOT_FOUND', failedDigest: DIGEST } as const;
    desk.steps = [
      { node: 'a', image, row: rowOf(0, 'fetching') },
      { node: 'a', image, row: { ...rowOf(0, 'present'), pinnedUntilMs: 0 } },
      { node: 'b', image, row: failed },
    ];
    const answer = await post(`${await start(desk)}/api/v1/seeds`, BODY);
    expect(answer.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
    const about = { ref: image.ref, digest: image.digest };
    const rest = { bytes_total: 9, blobs_verified: 2, blobs_total: 2, unpacked: null, retriable: false, elapsed_ms: 1 };
    expect(await linesOf(answer)).toEqual([
      { kind: 'accepted', id: 'seed-1', nodes: 1, images: 1 },
      { kind: 'progress', node: 'a', ...about, state: 'fetching', bytes_total: 9, bytes_present: 9 },
      {
        ...{ kind: 'result', node: 'a', ...about, ...rest, state: 'present', bytes_fetched: 0 },
        ...{ pinned_until: '1970-01-01T00:00:00.000Z', reason: null, code: null, failed_digest: null },
      },
      {
        ...{ kind: 'result', node: 'b', ...about, ...rest, state: 'failed', bytes_fetched: 0 },
        ...{ pinned_until: null, reason: 'No', code: 'NOT_FOUND', failed_digest: DIGEST },
      },
      { kind: 'done', id: 'seed-1', present: 1, fetched: 0, skipped: 0, failed: 0, bytes_fetched: 0 },
    ]);
    expect(desk.asked).toMatchObject([{ pin: { name: 'event' }, targets: ['a'] }]);
  });

  it('POST is for those who may change things, and says what is wrong with a body', async () => {
    const desk = new FakeSeedDesk();
    const url = await start(desk, { token: 's3cret' });
    expect((await post(`${url}/api/v1/seeds`, BODY)).status).toBe(401);
    const wrong = await post(`${url}/api/v1/seeds`, { ...BODY, targets: 7 }, { authorization: 'Bearer s3cret' });
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { error: { code: 'INVALID_ARGUMENT', message: 'Field "$.targets" is not a list' } },
    ]);
    expect(desk.asked).toEqual([]);
    const good = await post(`${url}/api/v1/seeds`, BODY, { authorization: 'Bearer s3cret' });
    expect(good.status).toBe(200);
    await good.text();
  });

  it('a caller that goes away cancels', async () => {
    const desk = new FakeSeedDesk();
    const { promise, resolve } = Promise.withResolvers<void>();
    desk.until = promise;
    const leave = new AbortController();
    const answer = await post(`${await start(desk)}/api/v1/seeds`, BODY, {}, leave.signal);
    await answer.body?.getReader().read();
    leave.abort();
    for (let tries = 0; desk.cancelled.length === 0 && tries < 100; tries += 1) await systemClock.sleep(20);
    expect(desk.cancelled).toEqual(['seed-1']);
    resolve();
  });

  it('GET lists, DELETE cancels by id, another method is told both', async () => {
    const desk = new FakeSeedDesk();
    desk.statuses = [
      {
        ...{ id: 'seed-1', state: 'keeping', pin: { name: 'p', untilMs: 0 }, startedAtMs: 0, level: 'content' },
        ...{ refs: ['r'], nodes: 2, newcomers: 1, present: 1, fetched: 2, skipped: 3, failed: 4, bytesFetched: 5 },
      },
    ];
    const url = await start(desk);
    expect(await linesOf(await fetch(`${url}/api/v1/seeds`))).toEqual([
      {
        ...{ id: 'seed-1', state: 'keeping', pin: 'p', until: '1970-01-01T00:00:00.000Z', level: 'content' },
        ...{ started_at: '1970-01-01T00:00:00.000Z', images: ['r'], nodes: 2, newcomers: 1 },
        ...{ present: 1, fetched: 2, skipped: 3, failed: 4, bytes_fetched: 5 },
      },
    ]);
    const remove = (id: string, headers: Record<string, string> = JSON_TYPE) =>
      fetch(`${url}/api/v1/seeds/${id}`, { method: 'DELETE', headers });
    expect((await remove('seed-1', {})).status).toBe(400);
    expect((await remove('seed-1')).status).toBe(204);
    expect((await remove('seed-2')).status).toBe(404);
    expect(desk.cancelled).toEqual(['seed-1', 'seed-2']);
    const put = await fetch(`${url}/api/v1/seeds`, { method: 'PUT', headers: JSON_TYPE });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect((await fetch(`${url}/api/v1/other/x`)).status).toBe(404);
  });
});

describe('the fleet, looked at', () => {
  it('/api/v1/presence tells bits, /api/v1/nodes labels, /api/v1/pins ends, /api/v1/leases the holder', async () => {
    const desk = new FakeSeedDesk();
    desk.rows = [
      { node: 'a', has: Uint8Array.of(0b10100000) },
      { node: 'b', reason: 'gone' },
    ];
    const platform = { os: 'linux', architecture: 'arm64' };
    const row = { address: '10.0.0.1', zone: 'z1', version: '1', mode: 'full' };
    desk.members = [
      { name: 'a', ...row, facts: { platform, freeBytes: 9, roomBytes: 8, canUnpack: true } },
      { name: 'b', ...row },
    ];
    desk.word = { isHeld: true, holder: 'h', fencing: 3, remainingMs: 1_000 };
    const pins = () => [{ name: 'p', untilMs: 0, digests: [DIGEST], bytes: 2 }];
    const url = await start(desk, { pins });
    expect(await linesOf(await post(`${url}/api/v1/presence`, { digests: [DIGEST, DIGEST, DIGEST] }))).toEqual([
      { kind: 'node', node: 'a', reached: true, reason: null, present: 2, has: 'oA==' },
      { kind: 'node', node: 'b', reached: false, reason: 'gone', present: 0, has: '' },
      { kind: 'done' },
    ]);
    const [first, second] = await linesOf(await fetch(`${url}/api/v1/nodes`));
    expect(first).toMatchObject({
      ...{ reached: true, platform: { os: 'linux', architecture: 'arm64', variant: null }, room_bytes: 8 },
      labels: { 'kubernetes.io/hostname': 'a', 'kubernetes.io/arch': 'arm64', 'topology.kubernetes.io/zone': 'z1' },
    });
    expect(second).toMatchObject({ name: 'b', reached: false, labels: null, room_bytes: null });
    expect(await linesOf(await fetch(`${url}/api/v1/pins`))).toEqual([
      { name: 'p', until: '1970-01-01T00:00:00.000Z', blobs: 1, bytes: 2, digests: [DIGEST] },
    ]);
    const ask = { name: 'warmer', holder: 'h', action: 'acquire', seconds: 30 };
    expect(await (await post(`${url}/api/v1/leases`, ask)).json()).toEqual({
      ...{ name: 'warmer', held: true, holder: 'h', fencing: 3, remaining_ms: 1_000 },
    });
    expect(desk.leases).toEqual([ask]);
  });
});
