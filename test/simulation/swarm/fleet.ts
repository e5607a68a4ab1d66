/** A simulated fleet that pulls one blob, and what came of it. */
import { createHash } from 'node:crypto';
import { type Digest, digestOf } from '../../../core/oci/digest.ts';
import type { Want } from '../../../plugin/content/blob-source.ts';
import type { MemberMode, SwarmMember } from '../../../plugin/providers/providers.ts';
import { ownersOf } from '../../../plugin/providers/rendezvous.ts';
import { seededRandom } from './seeded-random.ts';
import { SimClock } from './sim-clock.ts';
import { SimNetwork } from './sim-network.ts';
import { SimNode } from './sim-node.ts';
import { SimRegistry } from './sim-registry.ts';

/** Sizes are a 4096th of the real ones, and so are rates: a piece of 4 MiB is 1 KiB here, 100 Mbit/s 3 KiB/s. Times are real. */
export const SCALE = 4096;
const MIB = (1024 * 1024) / SCALE;
/** A piece of a large blob. */
const PIECE_MIB = 4;
const MBIT_BYTES_PER_MS = 125 / SCALE;

export interface FleetOptions {
  readonly members: number;
  readonly seed: number;
  readonly pieces: number;
  readonly pieceMib?: number;
  /** Of each node, both ways, Mbit/s. */
  readonly linkMbit?: number;
  readonly registryMbit?: number;
  /** From a request to the registry to its first byte, milliseconds. */
  readonly registryDelayMs?: number;
  readonly latencyMs?: number;
  /** Share of the nodes with a tenth of the link. */
  readonly stragglers?: number;
  /**
   * Share of the nodes that change what they serve, or what they fetch from the source, or that have the whole from the
   * beginning (the first of the seeds) and change every piece of it.
   */
  readonly liars?: { readonly share: number; readonly kind: 'serve' | 'fetch' | 'hold' };
  /** Nodes pull after so long, milliseconds. */
  readonly startsAtMs?: (index: number) => number;
  /** Nodes that have it from the beginning. */
  readonly seeds?: number;
  /** Pieces, from the beginning, that a node has from an earlier run. */
  readonly resumed?: (index: number) => number;
  readonly canRead?: (index: number) => boolean;
  readonly mode?: (index: number) => MemberMode;
  readonly zones?: number;
  readonly uploadsMax?: number;
  readonly downloadsMax?: number;
  /** Called while it runs, every 50 ms of its time. */
  readonly onTick?: (fleet: Fleet) => void;
  readonly limitMs?: number;
}

export interface FleetResult {
  readonly seed: number;
  readonly whole: number;
  readonly failed: number;
  /** Bytes that left the registry, in copies of the blob; without those that liars took for themselves alone. */
  readonly copies: number;
  /** Of them, what honest nodes took without a lease. */
  readonly directCopies: number;
  /** Seconds of the slowest, of the middle one, and what one link would need for the blob alone. */
  readonly worstSeconds: number;
  readonly medianSeconds: number;
  readonly idealSeconds: number;
  readonly wholeWrong: number;
  readonly bans: number;
  readonly honestBanned: number;
  readonly liarsBanned: number;
  readonly callsPerNodeSecond: number;
}

export class Fleet {
  readonly clock = new SimClock();
  readonly nodes: SimNode[] = [];
  readonly registry: SimRegistry;
  readonly network: SimNetwork;
  readonly want: Want;
  readonly digest: Digest;
  readonly liars = new Set<string>();
  readonly #options: FleetOptions;
  readonly #pieceBytes: number;
  #members: SwarmMember[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    const { members, pieces, seed, latencyMs = 1, registryMbit = 100, registryDelayMs } = options;
    this.#pieceBytes = (options.pieceMib ?? PIECE_MIB) * MIB;
    const random = seededRandom(seed);
    const data = blobOf(seed, pieces * this.#pieceBytes);
    this.digest = digestOf(data);
    this.want = { digest: this.digest, size: data.length, sources: [] };
    this.network = new SimNetwork(this.clock, { latencyMs, grainBytes: this.#pieceBytes / 8, isExact: members <= 32 });
    const bytesPerMs = registryMbit * MBIT_BYTES_PER_MS;
    this.registry = new SimRegistry({
      clock: this.clock,
      network: this.network,
      blob: data,
      bytesPerMs,
      delayMs: registryDelayMs,
    });
    for (let index = 0; index < members; index += 1) this.#addNode(index, random);
    for (let index = 0; index < (options.seeds ?? 0); index += 1) this.nodes[index]?.seed(this.digest, data);
    for (const [index, node] of this.nodes.entries()) {
      const resumed = options.resumed?.(index) ?? 0;
      if (resumed > 0) node.resume(this.digest, data, resumed * this.#pieceBytes);
    }
  }

  get owners(): string[] {
    return ownersOf(this.digest, this.#members).map(({ name }) => name);
  }

  get piecesHere(): number {
    return this.nodes.reduce((sum, node) => sum + node.piecesHere(this.digest), 0);
  }

  /** A node dies; the mesh tells the others after two seconds. */
  kill(name: string): void {
    const at = this.nodes.findIndex((node) => node.name === name);
    const port = this.#ports[at];
    if (port === undefined) return;
    port.isDead = true;
    void this.clock.sleep(2_000).then(() => {
      this.#members = this.#members.filter((member) => member.name !== name);
      for (const node of this.nodes) {
        node.providers.membersChanged();
        node.swarm.membersChanged();
      }
    });
  }

  /** Bytes that each node has sent. */
  uplinks(): number[] {
    return this.#ports.map(({ up }) => up.bytes);
  }

  /** Bytes between nodes of one zone, and of two. */
  traffic(): { near: number; far: number } {
    const zones = new Map(this.#members.map(({ name, zone }) => [name, zone]));
    const sum = { near: 0, far: 0 };
    for (const [key, bytes] of this.network.moved) {
      const [from = '', to = ''] = key.split('>');
      sum[zones.get(from) === zones.get(to) ? 'near' : 'far'] += bytes;
    }
    return sum;
  }

  get deadCount(): number {
    return this.#ports.filter(({ isDead }) => isDead).length;
  }

  isDead(name: string): boolean {
    return this.#ports.some((port) => port.name === name && port.isDead);
  }

  readonly #ports: ReturnType<SimNetwork['addPort']>[] = [];

  /** Everyone pulls; ends when all are done, or the limit is over. */
  async run(): Promise<FleetResult> {
    const { startsAtMs = () => 0, seeds = 0, limitMs = 600_000, onTick } = this.#options;
    const startedAtMs = this.clock.monotonicMs();
    const pulling = this.nodes.slice(seeds);
    pulling.forEach((node, index) => {
      void this.clock.sleep(startsAtMs(index + seeds)).then(() => node.pull(this.want));
    });
    const isDone = () => pulling.every((node) => this.isEnded(node));
    let left = limitMs;
    while (left > 0 && !(await this.clock.run(isDone, 50))) {
      left -= 50;
      onTick?.(this);
    }
    return this.#result(pulling, this.clock.monotonicMs() - startedAtMs);
  }

  isEnded(node: SimNode): boolean {
    return node.tookMs !== undefined || node.failure !== undefined || this.isDead(node.name);
  }

  #result(pulling: readonly SimNode[], ranMs: number): FleetResult {
    const { seed, linkMbit = 100, members } = this.#options;
    const honest = pulling.filter(({ name }) => !this.liars.has(name) && !this.isDead(name));
    const liars = pulling.filter(({ name }) => this.liars.has(name));
    const directOf = (nodes: readonly SimNode[]) => nodes.reduce((sum, { directBytes }) => sum + directBytes, 0);
    const took = honest.flatMap(({ tookMs }) => tookMs ?? []).sort((a, b) => a - b);
    const bans = honest.flatMap(({ swarm }) => swarm.banned());
    return {
      seed,
      whole: took.length,
      failed: honest.length - took.length,
      copies: (this.registry.bytes - directOf(liars)) / this.want.size,
      directCopies: directOf(honest) / this.want.size,
      worstSeconds: (took.at(-1) ?? Number.NaN) / 1000,
      medianSeconds: (took[took.length >> 1] ?? Number.NaN) / 1000,
      idealSeconds: this.want.size / (linkMbit * MBIT_BYTES_PER_MS) / 1000,
      wholeWrong: honest.reduce((sum, { wholeWrong }) => sum + wholeWrong, 0),
      bans: bans.length,
      honestBanned: bans.filter((name) => !this.liars.has(name)).length,
      liarsBanned: new Set(bans.filter((name) => this.liars.has(name))).size,
      callsPerNodeSecond: this.network.calls / members / (ranMs / 1000),
    };
  }

  #addNode(index: number, random: () => number): void {
    const { linkMbit = 100, stragglers = 0, liars, canRead, mode, zones = 1, members, seeds = 0 } = this.#options;
    const { uploadsMax, downloadsMax } = this.#options;
    const name = `node-${index}`;
    const isStraggler = index >= members * (1 - stragglers);
    const first = liars?.kind === 'hold' ? 0 : seeds;
    const isLiar = liars !== undefined && index >= first && index - first < Math.floor(members * liars.share);
    if (isLiar) this.liars.add(name);
    const rate = (isStraggler ? linkMbit / 10 : linkMbit) * MBIT_BYTES_PER_MS;
    const port = this.network.addPort(name, { up: rate, down: rate });
    this.#ports.push(port);
    const spoil = (bytes: Uint8Array) => bytes.map((byte, at) => (at === 0 ? byte ^ (1 + (index % 200)) : byte));
    const origin = this.registry.seenBy(port, {
      canRead: () => canRead?.(index) ?? true,
      ...(isLiar && liars.kind === 'fetch' ? { spoil } : {}),
    });
    const zone = `zone-${index % zones}`;
    this.#members = [...this.#members, { name, host: name, port: 1, zone, mode: mode?.(index) ?? 'full' }];
    this.nodes.push(
      new SimNode({
        name,
        clock: this.clock,
        random: seededRandom(Math.floor(random() * 2 ** 32)),
        network: this.network,
        port,
        members: () => this.#members,
        origin,
        pieceSizeBytes: this.#pieceBytes,
        mode: mode?.(index) ?? 'full',
        ...(uploadsMax === undefined ? {} : { uploadsMax }),
        ...(downloadsMax === undefined ? {} : { downloadsMax }),
        ...(isLiar && liars.kind !== 'fetch' ? { lie: spoil } : {}),
      }),
    );
  }
}

function blobOf(seed: number, bytes: number): Uint8Array {
  const blob = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 32) createHash('sha256').update(`${seed}/${at}`).digest().copy(blob, at);
  return blob;
}
