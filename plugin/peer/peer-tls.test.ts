import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '../../core/runtime/clock.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import {
  eventually,
  KEY_A,
  KEY_B,
  keyring,
  MemoryOffers,
  NO_END,
  readAll,
  type TestPeer,
  TestPeers,
} from './test-peers.ts';
import { PeerTrust } from './trust/peer-trust.ts';

const peers = new TestPeers();
afterEach(() => peers.stop());

const DAY_MS = 86_400_000;
const clockOff = (byMs: number): Clock => ({ ...systemClock, now: () => Date.now() + byMs });

async function pair(a: Parameters<TestPeers['start']>[1], b: Parameters<TestPeers['start']>[1]) {
  const offers = new MemoryOffers();
  const digest = offers.add(Buffer.alloc(100_000, 1));
  const request = { digest, range: { start: 0, end: 100_000 } };
  return { a: await peers.start('node-a', { offers, ...a }), b: await peers.start('node-b', b), request, offers };
}

const refusedOutsiders = (peer: TestPeer) => peer.count('shoal_peer_refusals_total{reason="not_a_member"}');
const accepted = (peer: TestPeer) => peer.count('shoal_peer_connections{direction="accepted"}');

/** Asks as a client of its own making for what no member would get either. @returns the status, or why it ended */
function attempt(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('closed'));
    socket.on('data', (bytes) => resolve(bytes.toString('latin1', 9, 12)));
    socket.on('secureConnect', () => socket.write('GET /v1/blobs/x/0-1 HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.setTimeout(3000, () => socket.destroy());
  });
}

function materialOf(name: string, ...keys: Uint8Array[]) {
  const material = new PeerTrust({ nodeName: name, identity: keyring(...keys), clock: systemClock }).material();
  return { cert: material?.cert, key: material?.key, ca: [...(material?.ca ?? [])] };
}

describe('createPeerPort() with mutual TLS', () => {
  it('speaks to nobody with another key, in either direction, and both logs say so', async () => {
    const { a, b, request, offers } = await pair({ identity: keyring(KEY_A) }, { identity: keyring(KEY_B) });
    await expect(readAll(b.port, a.at, request)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(offers.asked).toEqual([]);
    await eventually(async () => expect(await a.count('shoal_peer_refusals_total{reason="hung_up"}')).toBe(1));
    expect(b.logged.map(({ text }) => text)).toContain(
      'Peer and this node do not trust each other: compare their keys and clocks',
    );
    expect(a.logged.map(({ text }) => text)).toContain(
      'Connection ended before its certificate was judged: another key, or no longer needed',
    );
    expect(await refusedOutsiders(a)).toBe(0);
    const logs = JSON.stringify([...a.logged, ...b.logged].map((line) => [line.text, String(line.fields.err)]));
    expect(logs).not.toContain(KEY_A.toString('base64'));
    expect(logs).not.toContain('PRIVATE');
  });

  it('tells a member that has only an old key so', async () => {
    // The one that asks trusts the other, which does not trust it.
    const { a, b, request } = await pair({ identity: keyring(KEY_A) }, { identity: keyring(KEY_B, KEY_A) });
    await expect(readAll(b.port, a.at, request)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(b.logged.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('refuses certificates whose time is over or has not come, and takes clocks that are a day off', async () => {
    for (const [offMs, works] of [
      [-10 * DAY_MS, false],
      [10 * DAY_MS, false],
      [-DAY_MS, true],
      [DAY_MS / 2, true],
    ] as const) {
      const { a, b, request } = await pair(
        { identity: keyring(KEY_A) },
        { identity: keyring(KEY_A), clock: clockOff(offMs) },
      );
      const reading = readAll(b.port, a.at, request);
      if (works) expect((await reading).bytes.length).toBe(100_000);
      else await expect(reading).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });

  it('asks nobody who proves to be another member', async () => {
    const { a, b, request, offers } = await pair({ identity: keyring(KEY_A) }, { identity: keyring(KEY_A) });
    const other = readAll(b.port, { ...a.at, name: 'node-c' }, request);
    await expect(other).rejects.toThrow('proved to be "node-a", not "node-c"');
    await expect(other).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(offers.asked).toEqual([]);
  });

  it('answers nothing without a certificate, with an old TLS, or in plain text', async () => {
    const { a } = await pair({ identity: keyring(KEY_A) }, {});
    expect(await attempt(a.at.port, {})).not.toBe('400');
    expect(await attempt(a.at.port, { ...materialOf('x', KEY_B) })).not.toBe('400');
    expect(await attempt(a.at.port, { ...materialOf('x', KEY_A), maxVersion: 'TLSv1.2' })).not.toBe('400');
    expect(await attempt(a.at.port, { ...materialOf('x', KEY_A) })).toBe('400');
    const plain = await new Promise((resolve) => {
      const socket = connectTcp(a.at.port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      let text = '';
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
    expect(plain).not.toContain('HTTP');
    await eventually(async () => expect(await refusedOutsiders(a)).toBeGreaterThanOrEqual(4));
    await eventually(async () => expect(await accepted(a)).toBe(0));
  });

  it('closes what rests on a removed key at once, and keeps the rest', async () => {
    const { a, b, request } = await pair({ identity: keyring(KEY_A, KEY_B) }, { identity: keyring(KEY_B, KEY_A) });
    const c = await peers.start('node-c', { identity: keyring(KEY_A) });
    await readAll(b.port, a.at, request);
    await readAll(c.port, a.at, request);
    const held = Promise.withResolvers<void>();
    const running = b.port.readRange(a.at, request, () => held.promise, { signal: NO_END });
    const ended = expect(running).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await eventually(async () => expect(await accepted(a)).toBe(2));
    a.port.setIdentity(keyring(KEY_A));
    await eventually(async () => expect(await accepted(a)).toBe(1));
    held.resolve();
    await ended.catch(() => undefined);
    await readAll(c.port, a.at, request);
    await expect(readAll(b.port, a.at, request)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    b.port.setIdentity(keyring(KEY_A));
    expect((await readAll(b.port, a.at, request)).bytes.length).toBe(100_000);
  });

  it('rotates a key without a moment in which nodes do not trust each other', async () => {
    const { a, b, request } = await pair({ identity: keyring(KEY_A) }, { identity: keyring(KEY_A) });
    const steps = [[KEY_A, KEY_B], [KEY_B, KEY_A], [KEY_B]];
    for (const keys of steps) {
      for (const { port } of [a, b]) {
        port.setIdentity(keyring(...keys));
        await readAll(b.port, a.at, request);
      }
    }
  });

  it('does not take up sessions from before', async () => {
    const { a } = await pair({ identity: keyring(KEY_A, KEY_B) }, {});
    const options = { port: a.at.port, host: '127.0.0.1', rejectUnauthorized: false, ...materialOf('x', KEY_B) };
    const session = await new Promise<Buffer | undefined>((resolve) => {
      const first = connectTls(options);
      first.on('session', (ticket) => resolve(ticket));
      first.on('error', () => undefined);
      first.write('GET /v1/blobs/x/0-1 HTTP/1.1\r\nHost: x\r\n\r\n');
      first.on('data', () => setTimeout(() => resolve(undefined), 200));
    });
    a.port.setIdentity(keyring(KEY_A));
    if (session !== undefined) expect(await attempt(a.at.port, { ...materialOf('x', KEY_B), session })).not.toBe('400');
    expect(await attempt(a.at.port, { ...materialOf('x', KEY_B) })).not.toBe('400');
  });

  it("takes the names of the operator's own certificates", async () => {
    const files = (name: string, key = KEY_A) => {
      const material = materialOf(name, key);
      return { kind: 'files', cert: material.cert ?? '', key: material.key ?? '', ca: material.ca[0] ?? '' } as const;
    };
    const { a, b, request, offers } = await pair({ identity: files('node-a') }, { identity: files('node-b') });
    await readAll(b.port, a.at, request);
    expect(offers.asked).toEqual(['node-b']);
    expect(() => a.port.setIdentity(keyring(KEY_A))).toThrow('cannot become "keyring"');
    expect(await attempt(a.at.port, { ...materialOf('x', KEY_B) })).not.toBe('400');
    a.port.setIdentity(files('node-a'));
    expect(await accepted(a)).toBe(1);
    a.port.setIdentity(files('node-a', KEY_B));
    await eventually(async () => expect(await accepted(a)).toBe(0));
    await expect(readAll(b.port, a.at, request)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('ends handshakes that never come to an end', async () => {
    const limits = { handshakeTimeoutMs: 100, handshakesMax: 5 };
    const { a } = await pair({ identity: keyring(KEY_A), limits }, {});
    const sockets = Array.from({ length: 20 }, () => connectTcp(a.at.port, '127.0.0.1'));
    const closed = sockets.map((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      return new Promise((resolve) => socket.on('close', resolve));
    });
    await Promise.all(closed);
    expect(await a.count('shoal_peer_refusals_total{reason="too_many_connections"}')).toBe(15);
  });
});
