import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { parseDigest } from '../../core/oci/digest.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { createMetrics } from '../../core/runtime/metrics.ts';
import { FakeSeedDesk } from '../seed/fakes/fake-seed-desk.ts';
import type { MemberFacts } from '../survey/survey.ts';
import { type AdminServer, createAdmin } from './admin-server.ts';
import type { AdminDeps, AdminOptions, NodeStatus, PullProgress, Readiness } from './admin.ts';

const DIGEST = parseDigest(`sha256:${'a'.repeat(64)}`);
const STATUS: NodeStatus = {
  name: 'node-a',
  zone: '',
  version: '1.2.3',
  startedAtMs: 0,
  content: { socket: undefined, root: '/r', claim: 'local', containerd: 'off' },
  store: {
    blobs: 1,
    bytes: 5,
    bytesByHold: { containerd: 5, cache: 0, pin: 0 },
    capacityBytes: 100,
    freeBytes: 50,
  },
  claims: 0,
  flights: 0,
  mesh: undefined,
};
const FACTS: MemberFacts = {
  version: '1.2.3',
  ...{ nowMs: 0, startedAtMs: 0, blobs: 1, bytes: 5, capacityBytes: 100, freeBytes: 50 },
  ...{ flights: 0, bytesFromRegistries: 0, bytesFromPeers: 0, bytesServed: 0 },
  bytesByHold: { containerd: 5, cache: 0, pin: 0 },
  swarms: [],
};
const STEP: PullProgress = { digest: DIGEST, mediaType: 'm', size: 9, bytesPresent: 3, state: 'fetching' };

const running: AdminServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((admin) => admin.stop()));
});

async function start(deps: Partial<AdminDeps> = {}, options: Partial<AdminOptions> = {}): Promise<string> {
  const metrics = createMetrics({ process: false });
  metrics.counter({ name: 'shoal_test_total', help: 'test' }).add(3);
  const admin = createAdmin(
    {
      status: () => STATUS,
      readiness: () => ({ ready: true }),
      blobs: () => [{ digest: DIGEST, size: 5, holds: new Set(['cache']), createdAtMs: 0, usedAtMs: 1000 }],
      claims: () => [],
      flights: () => [],
      members: () => [],
      swarms: () => [],
      pins: () => [],
      seeding: new FakeSeedDesk(),
      sourcesOf: () => [],
      ownFacts: async () => FACTS,
      survey: undefined,
      clock: systemClock,
      pull: async function* () {
        yield STEP;
      },
      metrics,
      log: silentLogger,
      ...deps,
    },
    { listen: { host: '127.0.0.1', port: 0 }, ...options },
  );
  running.push(admin);
  await admin.start({ signal: new AbortController().signal });
  return `http://${admin.address()}`;
}

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/api/v1/pull`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function linesOf(response: Response): Promise<unknown[]> {
  return (await response.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** With a Host header that fetch would not let us set. */
async function statusWithHost(url: string, host: string): Promise<number | undefined> {
  const request = httpRequest(`${url}/api/v1/status`, { headers: { host } }).end();
  const [response] = await once(request, 'response');
  response.resume();
  return response.statusCode;
}

describe('createAdmin', () => {
  it('/healthz answers alive, also when not ready', async () => {
    const url = await start({ readiness: () => ({ ready: false, reason: 'x' }) });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('/readyz answers 503 with the reason, then 200', async () => {
    let readiness: Readiness = { ready: false, reason: 'The store is being read' };
    const url = await start({ readiness: () => readiness });
    const before = await fetch(`${url}/readyz`);
    expect([before.status, await before.json()]).toEqual([503, { ready: false, reason: 'The store is being read' }]);
    readiness = { ready: true };
    const after = await fetch(`${url}/readyz`);
    expect([after.status, await after.json()]).toEqual([200, { ready: true }]);
  });

  it('/metrics answers the exposition format', async () => {
    const response = await fetch(`${await start()}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain('shoal_test_total 3');
  });

  it('/api/v1/status answers the public names', async () => {
    const body = await (await fetch(`${await start()}/api/v1/status`)).json();
    expect(body).toMatchObject({
      name: 'node-a',
      ready: true,
      started_at: '1970-01-01T00:00:00.000Z',
      content: { socket: null },
      store: { bytes_by_hold: { containerd: 5 } },
    });
  });

  it('/api/v1/blobs streams a line for each blob', async () => {
    const blobs = function* () {
      for (let index = 0; index < 20_000; index += 1) {
        yield { digest: DIGEST, size: index, holds: ['cache'], createdAtMs: 0, usedAtMs: 0 };
      }
    };
    const lines = await linesOf(await fetch(`${await start({ blobs })}/api/v1/blobs`));
    expect(lines).toHaveLength(20_000);
    expect(lines.at(-1)).toMatchObject({ digest: DIGEST, size: 19_999, holds: ['cache'] });
  });

  it('an unknown path is 404, a wrong method 405 with what is allowed', async () => {
    const url = await start();
    const missing = await fetch(`${url}/api/v1/none`);
    expect([missing.status, await missing.json()]).toEqual([
      404,
      { error: { code: 'NOT_FOUND', message: 'No such path' } },
    ]);
    const wrong = await fetch(`${url}/api/v1/status`, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(`${url}/api/v1/pull`)).headers.get('allow')).toBe('POST');
    expect((await fetch(`${url}/api/v1/blobs`, { method: 'HEAD' })).status).toBe(200);
  });

  it('a foreign Host header is refused', async () => {
    const url = await start({}, { names: ['node-a'] });
    expect(await statusWithHost(url, 'evil.example')).toBe(403);
    expect(await statusWithHost(url, 'node-a:7950')).toBe(200);
  });

  it('listens on IPv6', async () => {
    const url = await start({}, { listen: { host: '::1', port: 0 } });
    expect(url).toContain('[::1]');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('an address in use fails the start', async () => {
    const port = Number(new URL(await start()).port);
    await expect(start({}, { listen: { host: '127.0.0.1', port } })).rejects.toThrow(/EADDRINUSE/);
  });

  it('headers beyond the bound are refused as JSON', async () => {
    const response = await fetch(`${await start()}/healthz`, { headers: { 'x-long': 'x'.repeat(20_000) } });
    expect([response.status, await response.json()]).toMatchObject([431, { error: { code: 'INVALID_ARGUMENT' } }]);
  });

  it('what is no HTTP at all is refused', async () => {
    const { hostname, port } = new URL(await start());
    const socket = connect(Number(port), hostname);
    socket.end('hello\r\n\r\n');
    const [bytes] = await once(socket, 'data');
    expect(String(bytes)).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('POST /api/v1/pull', () => {
  it('streams a line for each step and says when it is done', async () => {
    const asked: unknown[] = [];
    const pull: AdminDeps['pull'] = async function* (ref, platform) {
      asked.push([ref, platform]);
      yield STEP;
    };
    const response = await post(await start({ pull }), { ref: 'nginx', platform: 'linux/arm64' });
    expect(asked).toEqual([['docker.io/library/nginx:latest', 'linux/arm64']]);
    expect(await linesOf(response)).toEqual([
      { kind: 'blob', digest: DIGEST, media_type: 'm', size: 9, bytes_present: 3, state: 'fetching' },
      { kind: 'done' },
    ]);
  });

  it.each([
    ['not json', 400],
    ['[]', 400],
    [{}, 400],
    [{ ref: 7 }, 400],
    [{ ref: '../x' }, 400],
    [{ ref: 'nginx', platform: 'linux' }, 400],
    [{ ref: 'nginx', platform: 3 }, 400],
    [{ ref: 'x'.repeat(20_000) }, 400],
  ])('refuses %.40j', async (body, status) => {
    const response = await post(await start(), body);
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code: 'INVALID_ARGUMENT' } }]);
  });

  it('fails with a status before the first step, with a last line after it', async () => {
    const early = await start({
      // biome-ignore lint/correctness/useYield: fails before its first step
      pull: async function* () {
        throw new CodedError('UNAUTHENTICATED', 'Registry wants credentials');
      },
    });
    expect((await post(early, { ref: 'nginx' })).status).toBe(401);
    const late = await start({
      pull: async function* () {
        yield STEP;
        throw new CodedError('DATA_LOSS', 'Bytes are wrong');
      },
    });
    expect((await linesOf(await post(late, { ref: 'nginx' }))).at(-1)).toEqual({
      kind: 'failed',
      code: 'DATA_LOSS',
      message: 'Bytes are wrong',
    });
  });

  it('unforeseen errors do not show their text', async () => {
    const url = await start({
      status: () => {
        throw new Error('secret path');
      },
    });
    const response = await fetch(`${url}/api/v1/status`);
    expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('secret')]);
  });

  it('stops pulling when the caller goes away', async () => {
    let stopped: (reason: string) => void = () => undefined;
    const seen = new Promise<string>((resolve) => {
      stopped = resolve;
    });
    const url = await start({
      pull: async function* (_ref, _platform, { signal }) {
        yield STEP;
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        stopped('never');
      },
      log: { ...silentLogger, debug: (fields) => stopped(String(fields.reason ?? '')), error: () => stopped('error') },
    });
    const leave = new AbortController();
    const response = await fetch(`${url}/api/v1/pull`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ref: 'nginx' }),
      signal: leave.signal,
    });
    await response.body?.getReader().read();
    leave.abort();
    expect(await seen).toMatch(/went away/);
  });

  it('needs the token when there is one, and a loopback listener when there is none', async () => {
    const guarded = await start({}, { token: 's3cret' });
    expect((await post(guarded, { ref: 'nginx' })).status).toBe(401);
    expect((await post(guarded, { ref: 'nginx' }, { authorization: 'Bearer s3cret' })).status).toBe(200);
    expect((await fetch(`${guarded}/api/v1/status`)).status).toBe(200);
    const open = await start({}, { listen: { host: '0.0.0.0', port: 0 } });
    expect((await post(open.replace('0.0.0.0', '127.0.0.1'), { ref: 'nginx' })).status).toBe(403);
  });

  it('stop() ends a pull that runs', async () => {
    let stopped: () => void = () => undefined;
    const aborted = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const url = await start({
      pull: async function* (_ref, _platform, { signal }) {
        yield STEP;
        await once(signal, 'abort');
        stopped();
      },
    });
    const response = await post(url, { ref: 'nginx' });
    await running.splice(0)[0]?.stop();
    await expect(response.text()).rejects.toThrow();
    await aborted;
  });
});
