import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { PeerHandler } from './peer.ts';
import {
  eventually,
  KEY_A,
  keyring,
  MemoryOffers,
  METHOD,
  NO_END,
  readAll,
  someBytes,
  TestPeers,
} from './test-peers.ts';

const peers = new TestPeers();
afterEach(() => peers.stop());

const BLOB = someBytes(9 * 1024 * 1024 + 17);

const SECURITY = [
  { title: 'without TLS', identity: { kind: 'none' } as const, caller: '127.0.0.1' },
  { title: 'with TLS of a mesh key', identity: keyring(KEY_A), caller: 'node-b' },
];

function handlers(handle: PeerHandler) {
  return new Map([[METHOD.path, { method: METHOD, handle }]]);
}

describe.each(SECURITY)('createPeerPort() $title', ({ identity, caller }) => {
  it('carries ranges with the hash that their sender vouches for', async () => {
    const offers = new MemoryOffers();
    const digest = offers.add(BLOB);
    const a = await peers.start('node-a', { identity, offers });
    const b = await peers.start('node-b', { identity });
    for (const range of [
      { start: 0, end: BLOB.length },
      { start: 4 * 1024 * 1024, end: 8 * 1024 * 1024 },
      { start: 5, end: 6 },
    ]) {
      const { bytes, sha256 } = await readAll(b.port, a.at, { digest, range });
      const wanted = BLOB.subarray(range.start, range.end);
      expect(bytes.equals(wanted)).toBe(true);
      expect(sha256).toBe(createHash('sha256').update(wanted).digest('hex'));
    }
    expect(new Set(offers.asked)).toEqual(new Set([caller]));
    const total = BLOB.length + 4 * 1024 * 1024 + 1;
    expect(await a.count('shoal_peer_bytes_total{direction="sent"}')).toBe(total);
    expect(await b.count('shoal_peer_bytes_total{direction="received"}')).toBe(total);
    expect(await b.count('shoal_peer_connections{direction="outgoing"}')).toBe(1);
  });

  it('makes the sender wait for a slow taker and keeps every byte in its place', async () => {
    const offers = new MemoryOffers(64 * 1024);
    const digest = offers.add(BLOB);
    const a = await peers.start('node-a', { identity, offers });
    const b = await peers.start('node-b', { identity });
    const hash = createHash('sha256');
    let turn = 0;
    const take = async (bytes: Uint8Array) => {
      const before = Buffer.from(bytes);
      turn += 1;
      await new Promise((resolve) => setTimeout(resolve, turn % 3));
      expect(before.equals(bytes)).toBe(true);
      hash.update(bytes);
    };
    const request = { digest, range: { start: 0, end: BLOB.length } };
    const sha256 = await b.port.readRange(a.at, request, take, { signal: NO_END });
    expect(hash.digest('hex')).toBe(sha256);
    expect(`sha256:${sha256}`).toBe(digest);
  });

  it('says what a peer does not have, and goes on with the same connection', async () => {
    const offers = new MemoryOffers();
    const digest = offers.add(BLOB);
    const a = await peers.start('node-a', { identity, offers });
    const b = await peers.start('node-b', { identity });
    const absent = { digest: digestOf('absent'), range: { start: 0, end: 1 } };
    await expect(readAll(b.port, a.at, absent)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const beyond = { digest, range: { start: BLOB.length, end: BLOB.length + 1 } };
    await expect(readAll(b.port, a.at, beyond)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await readAll(b.port, a.at, { digest, range: { start: 0, end: 10 } });
    expect(await a.count('shoal_peer_connections{direction="accepted"}')).toBe(1);
  });

  it('carries calls, their errors, their caller and their deadline', async () => {
    const a = await peers.start('node-a', {
      identity,
      handlers: handlers(async (request, { peer, signal }) => {
        if ('fail' in request) throw new CodedError('FAILED_PRECONDITION', 'Lease is held by "x"');
        if ('hang' in request) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return { request, peer };
      }),
    });
    const b = await peers.start('node-b', { identity });
    const call = (request: object, deadlineMs = 5000) =>
      b.port.call(a.at, METHOD, request, { signal: NO_END, deadlineMs });
    expect(await call({ n: 1 })).toEqual({ request: { n: 1 }, peer: caller });
    await expect(call({ fail: true })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'Peer "node-a" answered 400: Lease is held by "x"',
    });
    await expect(call({ hang: true }, 100)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const many = await Promise.all(Array.from({ length: 100 }, (_, n) => call({ n })));
    expect(many).toEqual(Array.from({ length: 100 }, (_, n) => ({ request: { n }, peer: caller })));
    expect(await b.count('shoal_peer_connections{direction="outgoing"}')).toBeLessThanOrEqual(8);
  });

  it('gives a range up when its reader does, and reads the next one', async () => {
    const offers = new MemoryOffers();
    const digest = offers.add(BLOB);
    const a = await peers.start('node-a', { identity, offers });
    const b = await peers.start('node-b', { identity });
    const stop = new AbortController();
    const request = { digest, range: { start: 0, end: BLOB.length } };
    const reading = b.port.readRange(a.at, request, async () => stop.abort(), { signal: stop.signal });
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(await b.count('shoal_peer_connections{direction="outgoing"}')).toBe(0);
    expect((await readAll(b.port, a.at, request)).bytes.equals(BLOB)).toBe(true);
  });

  it('refuses more ranges than it sends at once to one peer', async () => {
    const offers = new MemoryOffers();
    // More than two sockets hold, so that the first one is not over before it is taken.
    const large = Buffer.alloc(64 * 1024 * 1024);
    const digest = offers.add(large);
    const a = await peers.start('node-a', { identity, offers, limits: { uploadsPerPeerMax: 1 } });
    const b = await peers.start('node-b', { identity });
    const request = { digest, range: { start: 0, end: large.length } };
    const held = Promise.withResolvers<void>();
    const first = b.port.readRange(a.at, request, () => held.promise, { signal: NO_END });
    await eventually(async () => expect(offers.asked).toHaveLength(1));
    await expect(readAll(b.port, a.at, request)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    held.resolve();
    await first;
    expect(await a.count('shoal_peer_refusals_total{reason="too_many_requests"}')).toBe(1);
  });

  it('keeps to the limits of both directions', async () => {
    const offers = new MemoryOffers();
    const digest = offers.add(BLOB);
    const range = { start: 0, end: 2 * 1024 * 1024 };
    for (const [up, down] of [
      [{ uploadBytesPerSecond: 4 * 1024 * 1024 }, {}],
      [{}, { downloadBytesPerSecond: 4 * 1024 * 1024 }],
    ]) {
      const a = await peers.start('node-a', { identity, offers, ...up });
      const b = await peers.start('node-b', { identity, ...down });
      const startedMs = performance.now();
      await readAll(b.port, a.at, { digest, range });
      // A quarter of a second's worth may pass at once.
      expect(performance.now() - startedMs).toBeGreaterThan(200);
    }
  });

  it('ends its connections and its listening when it stops, and can start again', async () => {
    const offers = new MemoryOffers();
    const digest = offers.add(BLOB);
    const a = await peers.start('node-a', { identity, offers });
    const b = await peers.start('node-b', { identity });
    const request = { digest, range: { start: 0, end: 10 } };
    await readAll(b.port, a.at, request);
    await a.port.stop();
    await a.port.stop();
    expect(a.port.address()).toBeUndefined();
    await expect(readAll(b.port, a.at, request)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await a.port.start({ signal: NO_END });
    const at = { ...a.at, port: a.port.address()?.port ?? 0 };
    expect((await readAll(b.port, at, request)).bytes.length).toBe(10);
  });
});

describe('createPeerPort() without a key', () => {
  it('listens on loopback only, says so, and asks nobody elsewhere', async () => {
    const a = await peers.start('node-a', { listenHost: '0.0.0.0' });
    expect(a.port.address()?.host).toBe('127.0.0.1');
    expect(a.logged.filter(({ level }) => level === 'warn')).toHaveLength(1);
    const elsewhere = { name: 'x', host: '192.0.2.1', port: 7948 };
    const request = { digest: digestOf(''), range: { start: 0, end: 1 } };
    await expect(readAll(a.port, elsewhere, request)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('listens anywhere when it was told to be insecure', async () => {
    const a = await peers.start('node-a', { listenHost: '0.0.0.0', identity: { kind: 'insecure' } });
    expect(a.port.address()?.host).toBe('0.0.0.0');
  });
});
