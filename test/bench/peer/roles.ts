/**
 * One process of the benchmark: `raw-sender`, `raw-receiver`, `sender` (a peer port that offers one blob) or `receiver` (a peer port
 * that fetches it into a download of the store). Its parent tells it what to do; it answers with what it took.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { Digest } from '../../../core/oci/digest.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { noMetrics } from '../../../core/runtime/metrics.ts';
import { createPeerPort } from '../../../plugin/peer/create-peer-port.ts';
import type { PeerIdentity } from '../../../plugin/peer/identity.ts';
import type { OpenRange, PeerAddress, PeerPort, RangeRequest } from '../../../plugin/peer/peer.ts';
import { createDiskStore } from '../../../plugin/store/disk-store.ts';
import type { Partial } from '../../../plugin/store/partial-store.ts';

const MIB = 2 ** 20;
const NO_END = new AbortController().signal;
const [role = '', tls = '', directory = '', name = ''] = process.argv.slice(2);

/** What is sent: the same mebibyte again and again, so that the sender reads no disk and both ways send alike. */
const CHUNK = Buffer.alloc(MIB, 'shoal').map((byte, index) => (byte * 31 + index * 7) & 0xff);

export interface Job {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly sources: readonly PeerAddress[];
  readonly rawPort: number;
  /** Thrown away on arrival, hashed, or hashed and written by the store. `count` moves nothing: what has this process taken so far? */
  readonly to: 'nothing' | 'hash' | 'store' | 'count';
  /** Ranges at once from each source. */
  readonly lanes: number;
}

export interface Result {
  readonly seconds: number;
  /** … and until the store had synced it and made it a blob. */
  readonly committedSeconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
}

function identity(): PeerIdentity {
  return tls === 'tls' ? { kind: 'keyring', keys: [Buffer.alloc(32, 7)] } : { kind: 'none' };
}

/** A node that holds a piece knows its hash: it was proven when it came. So only the first time it is computed. */
const known = new Map<string, string>();

async function* chunksOf({ start, end }: { start: number; end: number }) {
  for (let at = start; at < end; ) {
    const from = at % MIB;
    const part = CHUNK.subarray(from, Math.min(MIB, from + end - at));
    yield part;
    at += part.length;
  }
}

async function hashOf(range: { start: number; end: number }): Promise<string> {
  // The same mebibyte again and again, so ranges that begin and end alike within it are the same.
  const key = `${range.start % MIB} ${range.end - range.start}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const hash = createHash('sha256');
  for await (const chunk of chunksOf(range)) hash.update(chunk);
  const sha256 = hash.digest('hex');
  known.set(key, sha256);
  return sha256;
}

async function openRange(_peer: string, { range }: RangeRequest): Promise<OpenRange> {
  return { chunks: chunksOf(range), sha256: hashOf(range) };
}

function createPort(): PeerPort {
  return createPeerPort(
    {
      listen: { host: '127.0.0.1', port: 0 },
      nodeName: name,
      identity: identity(),
      offers: { openRange },
      handlers: new Map(),
      clock: systemClock,
      log: silentLogger,
      metrics: noMetrics,
    },
    { limits: { uploadsPerPeerMax: 64 } },
  );
}

/** Raw TCP, as fast as Node gets: large writes, and one buffer that every read reuses. */
function rawReceive(job: Job): Promise<void> {
  return new Promise((resolve, reject) => {
    let missing = job.sizeBytes;
    const buffer = Buffer.allocUnsafe(MIB);
    const callback = (bytes: number) => {
      missing -= bytes;
      if (missing === 0) socket.end();
      return true;
    };
    const socket = connect({ port: job.rawPort, host: '127.0.0.1', onread: { buffer, callback } });
    socket.on('error', reject);
    socket.on('close', () => (missing === 0 ? resolve() : reject(new Error('raw TCP ended early'))));
    socket.write(`${job.sizeBytes}\n`);
  });
}

function rawSend(): Promise<number> {
  const server = createServer((socket) => {
    socket.once('data', async (text) => {
      for (let left = Number(text.toString()); left > 0; left -= MIB) {
        await new Promise<void>((resolve) => socket.write(CHUNK.subarray(0, Math.min(MIB, left)), () => resolve()));
      }
    });
    socket.on('error', () => undefined);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

interface Received {
  /** When every byte was in the file. */
  readonly writtenAtMs: number;
  /** When the store had proven the whole, synced it and made it a blob. */
  readonly committedAtMs: number;
}

/** Pieces in order, spread over the lanes of every source, into a download of the store that proves the whole. */
async function peerReceive(port: PeerPort, job: Job): Promise<Received> {
  const root = mkdtempSync(join(directory, 'store-'));
  const limits = { capacityBytes: 2 ** 40, highWatermark: 0.9, lowWatermark: 0.7, minFreeBytes: 0 };
  const store = createDiskStore({ root, limits, clock: systemClock, log: silentLogger, metrics: noMetrics });
  await store.start({ signal: NO_END });
  try {
    const partial = await store.openPartial(job.digest, job.sizeBytes);
    let nextAt = 0;
    const lane = async (source: PeerAddress) => {
      while (nextAt < job.sizeBytes) {
        const start = nextAt;
        nextAt = Math.min(job.sizeBytes, start + partial.pieceSizeBytes);
        await fetchPiece(port, { source, partial, digest: job.digest, range: { start, end: nextAt } });
      }
    };
    await Promise.all(job.sources.flatMap((source) => Array.from({ length: job.lanes }, () => lane(source))));
    const writtenAtMs = performance.now();
    await partial.commit(new Set(['cache']));
    return { writtenAtMs, committedAtMs: performance.now() };
  } finally {
    await store.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

async function fetchPiece(
  port: PeerPort,
  piece: { source: PeerAddress; partial: Partial; digest: Digest; range: { start: number; end: number } },
): Promise<void> {
  let at = piece.range.start;
  const take = async (bytes: Uint8Array) => {
    const offset = at;
    at += bytes.length;
    await piece.partial.write(offset, bytes);
  };
  await port.readRange(piece.source, { digest: piece.digest, range: piece.range }, take, { signal: NO_END });
}

/** One piece after another, without the store: what the transport costs, and the hash. */
async function peerStream(port: PeerPort, job: Job): Promise<void> {
  const [source] = job.sources;
  if (source === undefined) return;
  const hash = createHash('sha256');
  const take = async (bytes: Uint8Array) => {
    if (job.to === 'hash') hash.update(bytes);
  };
  for (let start = 0; start < job.sizeBytes; start += 4 * MIB) {
    const range = { start, end: Math.min(job.sizeBytes, start + 4 * MIB) };
    await port.readRange(source, { digest: job.digest, range }, take, { signal: NO_END });
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (job.to === 'hash' && digest !== job.digest) throw new Error(`Received ${digest} for ${job.digest}`);
}

async function receive(port: PeerPort | undefined, job: Job): Promise<Received> {
  if (port !== undefined && job.to === 'store') return peerReceive(port, job);
  if (job.to === 'count') return { writtenAtMs: 0, committedAtMs: 0 };
  if (port === undefined) await rawReceive(job);
  else await peerStream(port, job);
  return { writtenAtMs: performance.now(), committedAtMs: performance.now() };
}

async function main(): Promise<void> {
  const port = role.startsWith('raw') ? undefined : createPort();
  await port?.start({ signal: NO_END });
  const listening = role === 'raw-sender' ? await rawSend() : port?.address()?.port;
  process.send?.({ port: listening ?? 0 });
  process.on('message', async (job: Job) => {
    const cpu = job.to === 'count' ? undefined : process.cpuUsage();
    const startedMs = performance.now();
    const received = await receive(port, job);
    const { user, system } = process.cpuUsage(cpu);
    const result: Result = {
      seconds: (received.writtenAtMs - startedMs) / 1000,
      committedSeconds: (received.committedAtMs - startedMs) / 1000,
      cpuSeconds: (user + system) / 1e6,
      peakRssMiB: process.resourceUsage().maxRSS / 1024,
    };
    process.send?.(result);
  });
}

process.on('disconnect', () => process.exit());
await main();
