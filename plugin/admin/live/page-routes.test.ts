/** The page and what it reads, over HTTP. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../core/runtime/clock.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { createMetrics } from '../../../core/runtime/metrics.ts';
import type { MemberFacts, Reached } from '../../survey/survey.ts';
import { type AdminServer, createAdmin } from '../admin-server.ts';
import type { AdminDeps, AdminOptions, MemberRow } from '../admin.ts';
import { FakeSeedDesk } from '../../seed/fakes/fake-seed-desk.ts';
import { REACH_MEMBERS_MAX } from './reach-route.ts';

const running: AdminServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((admin) => admin.stop()));
});

const FACTS: MemberFacts = {
  version: '1',
  ...{ nowMs: 0, startedAtMs: 0, blobs: 1, bytes: 5, capacityBytes: 100, freeBytes: 50 },
  ...{ flights: 0, bytesFromRegistries: 0, bytesFromPeers: 0, bytesServed: 0 },
  bytesByHold: { containerd: 5, cache: 0, pin: 0 },
  swarms: [],
};
const REACHED: Reached = { udp: true, tcp: true, peer: true, backUdp: false, backTcp: true, skewMs: 12 };

async function start(deps: Partial<AdminDeps> = {}, options: Partial<AdminOptions> = {}): Promise<string> {
  const nothing = () => [];
  const admin = createAdmin(
    {
      status: () => ({
        ...{ name: 'node-a', zone: '', version: '1', startedAtMs: 0, claims: 0, flights: 0, mesh: undefined },
        content: { socket: undefined, root: '/r', claim: 'local', containerd: 'off' },
        store: { blobs: 1, bytes: 5, bytesByHold: FACTS.bytesByHold, capacityBytes: 100, freeBytes: 50 },
      }),
      readiness: () => ({ ready: true }),
      ...{ blobs: nothing, claims: nothing, flights: nothing, members: nothing, swarms: nothing, pins: nothing },
      sourcesOf: nothing,
      seeding: new FakeSeedDesk(),
      pull: async function* () {},
      ownFacts: async () => FACTS,
      survey: undefined,
      clock: systemClock,
      metrics: createMetrics({ process: false }),
      log: silentLogger,
      ...deps,
    },
    { listen: { host: '127.0.0.1', port: 0 }, ...options },
  );
  running.push(admin);
  await admin.start({ signal: new AbortController().signal });
  return `http://${admin.address()}`;
}

const get = async (url: string, headers: Record<string, string> = {}) => fetch(url, { headers });

describe('the page', () => {
  it('is served with its type, a policy, and not again while it is the same', async () => {
    const url = await start();
    const page = await get(`${url}/`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|http/);
    const html = await page.text();
    // Nothing from elsewhere, nothing that the policy would stop.
    expect(html).not.toMatch(/https?:\/\/|\sstyle=|\son\w+=|<script>/);
    for (const [, path] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g))
      expect((await get(`${url}${path}`)).status).toBe(200);
    expect((await get(`${url}/page/main.js`)).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const etag = page.headers.get('etag') ?? '';
    expect((await get(`${url}/`, { 'if-none-match': etag })).status).toBe(304);
  });

  it('has no path out of its folder', async () => {
    const url = await start();
    for (const path of ['/page/', '/page/..%2fadmin.ts', '/page/%2e%2e/admin.ts', '/page/tsconfig.json']) {
      expect((await get(`${url}${path}`)).status).toBe(404);
    }
  });
});

describe('GET /api/v1/fleet', () => {
  it('is a fleet of one without a mesh', async () => {
    const whole = await (await get(`${await start()}/api/v1/fleet`)).json();
    expect(whole).toMatchObject({
      rev: 1,
      members: [{ name: 'node-a', self: true, facts: { bytes: 5 } }],
      summary: { members: 1 },
    });
  });
});

describe('GET /api/v1/session', () => {
  it('says what a token is worth', async () => {
    const worth = async (url: string, headers = {}) =>
      JSON.parse(await (await get(`${url}/api/v1/session`, headers)).text()).token;
    expect(await worth(await start())).toBe('none_set');
    const guarded = await start({}, { token: 's3cret' });
    expect(await worth(guarded)).toBe('missing');
    expect(await worth(guarded, { authorization: 'Bearer no' })).toBe('wrong');
    expect(await worth(guarded, { authorization: 'Bearer s3cret' })).toBe('valid');
  });
});

describe('GET /api/v1/reach', () => {
  const members = (count: number): MemberRow[] =>
    Array.from({ length: count }, (_, at) => ({
      ...{ name: `n${at}`, address: '10.0.0.1', port: 1, state: 'alive' },
      node: { zone: 'z', peerPort: 1, version: '2', mode: 'full' },
    }));
  const linesOf = async (answer: Response) =>
    (await answer.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('tries some members, and says what each way does', async () => {
    const survey = { watch: () => () => undefined, surveyed: () => new Map(), reach: async () => REACHED };
    const rows = await linesOf(await get(`${await start({ members: () => members(50), survey })}/api/v1/reach`));
    expect(rows).toHaveLength(REACH_MEMBERS_MAX);
    expect(rows[0]).toMatchObject({
      member: expect.stringMatching(/^n\d+$/),
      peer_port: 1,
      udp: true,
      peer: true,
      back_udp: false,
      skew_ms: 12,
      failure: null,
    });
  });

  it('one at a time', async () => {
    const wait = Promise.withResolvers<Reached>();
    const survey = { watch: () => () => undefined, surveyed: () => new Map(), reach: () => wait.promise };
    const url = await start({ members: () => members(1), survey });
    const first = get(`${url}/api/v1/reach`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await get(`${url}/api/v1/reach`)).status).toBe(429);
    wait.resolve(REACHED);
    expect(await linesOf(await first)).toHaveLength(1);
    expect((await get(`${url}/api/v1/reach`)).status).toBe(200);
  });
});
