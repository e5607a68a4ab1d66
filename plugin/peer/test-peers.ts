/** Peer ports on loopback for this module's own tests: what one offers, what another asks. */
import { createHash, randomBytes } from 'node:crypto';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { systemClock, type Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { type LogFields, type Logger, silentLogger } from '../../core/runtime/log.ts';
import { createMetrics, type ScrapableMetrics } from '../../core/runtime/metrics.ts';
import { createPeerPort, type PeerPortDeps } from './create-peer-port.ts';
import type { PeerIdentity } from './identity.ts';
import type { PeerPortOptions } from './limits.ts';
import type { PeerAddress, PeerMethod, PeerPort, RangeOffers, RangeRequest } from './peer.ts';

export const KEY_A = Buffer.alloc(32, 0xa1);
export const KEY_B = Buffer.alloc(32, 0xb2);
export const NO_END = new AbortController().signal;

export const keyring = (...keys: Uint8Array[]): PeerIdentity => ({ kind: 'keyring', keys });

/** A call whose messages are JSON texts: the port never looks into them. */
export const METHOD: PeerMethod = {
  path: '/shoal.test.v1.Test/Echo',
  requestSerialize: (value) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes) => JSON.parse(bytes.toString()),
  responseSerialize: (value) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes) => JSON.parse(bytes.toString()),
};

/** Blobs in memory. `chunkBytes` at once; who asked is written down. */
export class MemoryOffers implements RangeOffers {
  readonly asked: string[] = [];
  readonly chunkBytes: number;
  readonly #blobs = new Map<Digest, Buffer>();

  constructor(chunkBytes = 256 * 1024) {
    this.chunkBytes = chunkBytes;
  }

  add(bytes: Buffer): Digest {
    const digest = digestOf(bytes);
    this.#blobs.set(digest, bytes);
    return digest;
  }

  async openRange(peer: string, { digest, range }: RangeRequest) {
    this.asked.push(peer);
    const blob = this.#blobs.get(digest);
    if (blob === undefined) throw new CodedError('NOT_FOUND', `Blob "${digest}" is not here`);
    if (range.end > blob.length) throw new CodedError('OUT_OF_RANGE', `Range ends after "${digest}"`);
    const part = blob.subarray(range.start, range.end);
    return { chunks: this.#chunks(part), sha256: Promise.resolve(createHash('sha256').update(part).digest('hex')) };
  }

  async *#chunks(part: Buffer): AsyncIterable<Uint8Array> {
    for (let at = 0; at < part.length; at += this.chunkBytes) yield part.subarray(at, at + this.chunkBytes);
  }
}

export interface TestPeer {
  readonly port: PeerPort;
  readonly at: PeerAddress;
  readonly metrics: ScrapableMetrics;
  readonly logged: Array<{ level: string; text: string; fields: LogFields }>;
  /** The value of one counter with these labels. */
  count(metric: string): Promise<number>;
}

export interface TestPeerOptions extends PeerPortOptions, Partial<Omit<PeerPortDeps, 'listen'>> {
  listenHost?: string;
}

/** Started peers; `stop` stops all of them. */
export class TestPeers {
  readonly #peers: TestPeer[] = [];

  async start(name: string, options: TestPeerOptions = {}): Promise<TestPeer> {
    const metrics = createMetrics({ process: false });
    const logged: TestPeer['logged'] = [];
    const clock: Clock = options.clock ?? systemClock;
    const port = createPeerPort(
      {
        listen: { host: options.listenHost ?? '127.0.0.1', port: 0 },
        nodeName: name,
        identity: { kind: 'none' },
        offers: new MemoryOffers(),
        handlers: new Map(),
        log: recorder(logged),
        metrics,
        ...options,
        clock,
      },
      { ...options, limits: { sweepEveryMs: 50, ...options.limits } },
    );
    await port.start({ signal: NO_END });
    const at = { name, host: '127.0.0.1', port: port.address()?.port ?? 0 };
    const count = async (metric: string) => {
      const { text } = await metrics.scrape();
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${metric} `));
      return Number(line?.split(' ')[1] ?? 0);
    };
    const peer = { port, at, metrics, logged, count };
    this.#peers.push(peer);
    return peer;
  }

  async stop(): Promise<void> {
    for (const { port } of this.#peers.splice(0)) await port.stop();
  }
}

function recorder(logged: TestPeer['logged']): Logger {
  const at = (level: string) => (fields: LogFields, text: string) => void logged.push({ level, text, fields });
  return { ...silentLogger, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

/** Reads a range whole. */
export async function readAll(
  port: PeerPort,
  at: PeerAddress,
  request: RangeRequest,
): Promise<{ bytes: Buffer; sha256: string }> {
  const parts: Buffer[] = [];
  const take = async (bytes: Uint8Array) => void parts.push(Buffer.from(bytes));
  const sha256 = await port.readRange(at, request, take, { signal: NO_END });
  return { bytes: Buffer.concat(parts), sha256 };
}

export const someBytes = (length: number): Buffer => randomBytes(length);

/** Tries until it does not throw; a few seconds at most. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  const untilMs = performance.now() + 5000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
