/**
 * One process of the benchmark: `raw-sender`, `raw-receiver`, `sender` (a peer port that offers one blob) or `receiver` (a peer port
 * that fetches it into a download of the store). Its parent tells it what to do; it answers with what it took.
 */
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
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
import type { ByteRange, Partial } from '../../../plugin/store/partial-store.ts';
import { PieceBuffer } from '../../../plugin/swarm/piece-buffer.ts';

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
  /**
   * Thrown away on arrival, hashed, or hashed and written by the store; `pieces` as the swarm does it: each piece is gathered and hashed
   * before it is written, and the whole is hashed too. `memory` moves nothing: the same bytes are hashed where they lie, which no way
   * that proves a blob can outdo, since SHA-256 is one chain. `count` moves nothing: what has this process taken so far?
   */
  readonly to: 'nothing' | 'hash' | 'store' | 'pieces' | 'memory' | 'count';
  /** Ranges at once from each source. */
  readonly lanes: number;
  /** Before the time is taken, memory for the file is touched. */
  readonly isWarm: boolean;
}

export interface Result {
  /** Until every byte had come and, where asked for, was in the file and in the hash. */
  readonly seconds: number;
  /** … and until the disk had it and the store had made it a blob. */
  readonly committedSeconds: number;
  /** Of this process for it, without the sync. */
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
}

function identity(): PeerIdentity {
  return tls === 'tls' ? { kind: 'keyring', keys: [Buffer.alloc(32, 7)] } : { kind: 'none' };
}

/** A node that holds a piece knows its hash: it was proven when it came. So only the first time it is computed. */
const known = new Map<string, string>();

async function* chunksOf({ start, end }: ByteRange) {
  for (let at = start; at < end; ) {
    const from = at % MIB;
    const part = CHUNK.subarray(from, Math.min(MIB, from + end - at));
    yield part;
    at += part.length;
  }
}

async function hashOf(range: ByteRange): Promise<string> {
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

/**
 * Raw TCP, as fast as Node gets: large writes, and one buffer that every read reuses. Hashed or written right there, with nothing
 * between the socket and the hash or the file, it is what one thread can do without a protocol.
 */
async function rawReceive(job: Job): Promise<void> {
  if (job.to === 'memory') return hashMemory(job);
  const path = join(directory, `raw-${process.pid}`);
  const hash = job.to === 'nothing' ? undefined : createHash('sha256');
  const file = job.to === 'store' ? openSync(path, 'w') : undefined;
  try {
    await readRaw(job, (bytes) => {
      hash?.update(bytes);
      if (file !== undefined) writeSync(file, bytes);
    });
  } finally {
    if (file !== undefined) {
      closeSync(file);
      rmSync(path);
    }
  }
  if (hash !== undefined && `sha256:${hash.digest('hex')}` !== job.digest)
    throw new Error('Raw TCP brought other bytes');
}

function hashMemory(job: Job): void {
  const hash = createHash('sha256');
  for (let left = job.sizeBytes; left > 0; left -= MIB) hash.update(CHUNK.subarray(0, Math.min(MIB, left)));
  if (`sha256:${hash.digest('hex')}` !== job.digest) throw new Error('Memory has other bytes');
}

function readRaw(job: Job, take: (bytes: Uint8Array) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let missing = job.sizeBytes;
    const buffer = Buffer.allocUnsafe(MIB);
    const callback = (bytes: number) => {
      take(buffer.subarray(0, bytes));
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
  /** When every byte had come, was in the file and in the hash. */
  readonly doneAtMs: number;
  /** When the disk had it and the store had made it a blob. */
  readonly committedAtMs: number;
  /** Of this process until it was done, since it began. */
  readonly cpu: NodeJS.CpuUsage;
}

const now = (): Received => {
  const atMs = performance.now();
  return { doneAtMs: atMs, committedAtMs: atMs, cpu: process.cpuUsage() };
};

/** When files were synced. The first sync of a commit comes as soon as the whole is proven: then it is hashed and written. */
const syncs: Received[] = [];
async function noteSyncs(): Promise<void> {
  const handle = await open(join(import.meta.dirname, 'roles.ts'));
  const prototype = Object.getPrototypeOf(handle);
  const sync: () => Promise<void> = prototype.sync;
  prototype.sync = function noted() {
    syncs.push(now());
    return sync.call(this);
  };
  await handle.close();
}

/** Pieces in order, spread over the lanes of every source, into a download of the store that proves the whole. */
async function peerReceive(port: PeerPort, job: Job): Promise<Received> {
  const root = mkdtempSync(join(directory, 'store-'));
  const limits = { capacityBytes: 2 ** 40, highWatermark: 0.9, lowWatermark: 0.7, minFreeBytes: 0 };
  const store = createDiskStore({ root, limits, clock: systemClock, log: silentLogger, metrics: noMetrics });
  await store.start({ signal: NO_END });
  try {
    const partial = await store.openPartial(job.digest, job.sizeBytes);
    const fetch = job.to === 'pieces' ? fetchWholePiece : fetchPiece;
    let nextAt = 0;
    const lane = async (source: PeerAddress) => {
      while (nextAt < job.sizeBytes) {
        const start = nextAt;
        nextAt = Math.min(job.sizeBytes, start + partial.pieceSizeBytes);
        const range = { start, end: nextAt };
        await fetch(port, { source, partial, digest: job.digest, range });
      }
    };
    await Promise.all(job.sources.flatMap((source) => Array.from({ length: job.lanes }, () => lane(source))));
    syncs.length = 0;
    await partial.commit(new Set(['cache']));
    const [proven] = syncs;
    if (proven === undefined) throw new Error('The store made a blob without a sync');
    return { ...proven, committedAtMs: performance.now() };
  } finally {
    await store.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

interface Fetched {
  readonly source: PeerAddress;
  readonly partial: Partial;
  readonly digest: Digest;
  readonly range: ByteRange;
}

async function fetchWholePiece(port: PeerPort, { source, partial, digest, range }: Fetched): Promise<void> {
  const buffer = new PieceBuffer(range);
  try {
    const said = await port.readRange(source, { digest, range }, async (bytes) => buffer.append(bytes), {
      signal: NO_END,
    });
    if (buffer.sha256() !== said) throw new Error('A piece has another hash than its sender said');
    await partial.write(range.start, buffer.bytes);
  } finally {
    buffer.drop();
  }
}

async function fetchPiece(port: PeerPort, piece: Fetched): Promise<void> {
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

/**
 * A virtual machine's host takes back memory that was freed seconds ago, and gives it again when it is touched: writing a file then costs
 * five times as much, at random. So a file of the same size is written and removed just before.
 */
function warmMemory(bytes: number): void {
  const path = join(directory, `warm-${process.pid}`);
  const file = openSync(path, 'w');
  for (let at = 0; at < bytes; at += MIB) writeSync(file, CHUNK, 0, Math.min(MIB, bytes - at), at);
  closeSync(file);
  rmSync(path);
}

async function receive(port: PeerPort | undefined, job: Job): Promise<Received> {
  if (port !== undefined && (job.to === 'store' || job.to === 'pieces')) return peerReceive(port, job);
  if (job.to === 'count') return now();
  if (port === undefined) await rawReceive(job);
  else await peerStream(port, job);
  return now();
}

async function main(): Promise<void> {
  const port = role.startsWith('raw') ? undefined : createPort();
  await noteSyncs();
  await port?.start({ signal: NO_END });
  const listening = role === 'raw-sender' ? await rawSend() : port?.address()?.port;
  process.send?.({ port: listening ?? 0 });
  process.on('message', async (job: Job) => {
    if (job.isWarm) warmMemory(job.sizeBytes);
    const before = job.to === 'count' ? { user: 0, system: 0 } : process.cpuUsage();
    const startedMs = performance.now();
    const received = await receive(port, job);
    const result: Result = {
      seconds: (received.doneAtMs - startedMs) / 1000,
      committedSeconds: (received.committedAtMs - startedMs) / 1000,
      cpuSeconds: (received.cpu.user + received.cpu.system - before.user - before.system) / 1e6,
      peakRssMiB: process.resourceUsage().maxRSS / 1024,
    };
    process.send?.(result);
  });
}

process.on('disconnect', () => process.exit());
await main();
