/** Many members in one process: the production core on simulated time and a network in memory. */
import type { MeshEvents } from '../../../plugin/mesh/events.ts';
import type { MemberRecord } from '../../../plugin/mesh/members/member-record.ts';
import { OUR_VERSIONS } from '../../../plugin/mesh/members/protocol-versions.ts';
import { MeshCore } from '../../../plugin/mesh/mesh-core.ts';
import type { Endpoint } from '../../../plugin/mesh/net/transport.ts';
import { LAN, type Timings } from '../../../plugin/mesh/presets.ts';
import { encodeTags } from '../../../plugin/mesh/serf/tags.ts';
import { tagsOfNode } from '../../../plugin/mesh/mesh.ts';
import { PacketCodec } from '../../../plugin/mesh/wire/packet-codec.ts';
import { EventLoop } from './event-loop.ts';
import { MemoryNetwork } from './memory-network.ts';
import { seededRandom } from './seeded-random.ts';

const TAGS = tagsOfNode({ zone: 'zone-1', peerPort: 7948, version: '0.1.0', mode: 'full' });
const PORT = 7946;

/** A member was declared dead. */
export interface Death {
  readonly atMs: number;
  readonly name: string;
  readonly by: string;
}

export interface FleetMember {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly core: MeshCore;
  isRunning: boolean;
}

export class Fleet {
  readonly loop = new EventLoop();
  readonly network: MemoryNetwork;
  readonly members: FleetMember[] = [];
  readonly deaths: Death[] = [];
  readonly drops = new Map<string, number>();
  readonly timings: Timings;
  readonly #random: () => number;
  readonly #codec = new PacketCodec({});

  constructor(options: { seed: number; timings?: Timings }) {
    this.timings = options.timings ?? LAN;
    this.#random = seededRandom(options.seed);
    this.network = new MemoryNetwork({ loop: this.loop, random: this.#random });
  }

  /** A member that knows nobody, started. */
  add(): FleetMember {
    const member = this.#make(this.members.length);
    member.core.start();
    return member;
  }

  /** `count` members that have known one another for long. */
  addSettled(count: number): void {
    const records = Array.from({ length: count }, (_, index) => settledRecord(index));
    for (let index = 0; index < count; index += 1) this.#make(index).core.adopt(records);
    for (const { core } of this.members) core.start();
  }

  /** The host is gone at once. */
  kill(member: FleetMember): void {
    member.isRunning = false;
    member.core.stop();
    this.network.detach(member.endpoint);
  }

  running(): FleetMember[] {
    return this.members.filter(({ isRunning }) => isRunning);
  }

  /** True when every running member holds the member of that name for alive. */
  isKnownAlive(name: string): boolean {
    return this.running().every(({ core }) => core.table.get(name)?.state === 'alive');
  }

  /** True when no running member holds it for alive or suspect. */
  isKnownGone(name: string): boolean {
    return this.running().every(({ core }) => {
      const state = core.table.get(name)?.state;
      return state !== 'alive' && state !== 'suspect';
    });
  }

  /** Deaths of members that were running all the time. */
  falseDeaths(): Death[] {
    const running = new Set(this.running().map(({ name }) => name));
    return this.deaths.filter(({ name }) => running.has(name));
  }

  #make(index: number): FleetMember {
    const { name, endpoint } = identity(index);
    const transport = this.network.transportOf(endpoint);
    const deps = {
      scheduler: this.loop,
      random: this.#random,
      transport,
      codec: this.#codec,
      events: this.#events(name),
    };
    const core = new MeshCore(deps, { name, endpoint, tags: TAGS, timings: this.timings });
    this.network.attach(endpoint, core);
    const member = { name, endpoint, core, isRunning: true };
    this.members.push(member);
    return member;
  }

  #events(by: string): MeshEvents {
    const nothing = () => undefined;
    return {
      dropped: (reason) => void this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1),
      changed: (_before, after) => {
        if (after.state === 'dead') this.deaths.push({ atMs: this.loop.nowMs(), name: after.name, by });
      },
      nameConflict: nothing,
      refuted: nothing,
      onlyTcpAnswers: nothing,
      exchangeFailed: nothing,
      joined: nothing,
      joinFailed: nothing,
      sendFailed: nothing,
      started: nothing,
    };
  }
}

export function identity(index: number): { name: string; endpoint: Endpoint } {
  const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  return { name: `node-${`${index}`.padStart(5, '0')}`, endpoint: { address, port: PORT } };
}

const META = encodeTags(TAGS);

function settledRecord(index: number): MemberRecord {
  const { name, endpoint } = identity(index);
  return { name, ...endpoint, meta: META, vsn: OUR_VERSIONS, incarnation: 1, state: 'alive', sinceMs: 0 };
}
