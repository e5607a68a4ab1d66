/** The mesh of production, over UDP and TCP. */
import { systemClock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { type MeshEvents, createMeshEvents, exposeMembers } from './events.ts';
import { NAME_BYTES_MAX } from './limits.ts';
import type { MemberRecord } from './members/member-record.ts';
import { type Member, type MemberChange, type Mesh, type MeshTroubles, nodeOfTags } from './mesh.ts';
import type { MeshDeps, MeshOptions } from './mesh-options.ts';
import { type OpenMesh, openMesh } from './open-mesh.ts';
import { systemScheduler } from './scheduler.ts';
import { Troubles } from './troubles.ts';
import { type Tags, decodeTags, encodeTags } from './serf/tags.ts';

/** @throws CodedError INVALID_ARGUMENT for a name or tags that cannot be */
export function createMesh(deps: MeshDeps, options: MeshOptions): Mesh {
  return new NetMesh(deps, options);
}

class NetMesh implements Mesh {
  readonly #deps: MeshDeps & { events: MeshEvents };
  readonly #options: MeshOptions;
  readonly #listeners = new Set<(change: MemberChange) => void>();
  readonly #troubles = new Troubles(() => systemClock.now());
  #tags: Tags;
  #open: OpenMesh | undefined;

  constructor(deps: MeshDeps, options: MeshOptions) {
    const { log, metrics } = deps;
    const events = createMeshEvents({ log, metrics, nowMs: () => systemScheduler.nowMs() });
    this.#deps = { ...deps, events: this.#troubles.watching(events) };
    this.#options = options;
    this.#tags = options.tags;
    encodeTags(options.tags);
    const nameBytes = Buffer.byteLength(options.name);
    if (nameBytes === 0 || nameBytes > NAME_BYTES_MAX) {
      throw new CodedError(
        'INVALID_ARGUMENT',
        `"${options.name}" is not a member's name of 1 to ${NAME_BYTES_MAX} bytes`,
      );
    }
    exposeMembers(metrics, this);
  }

  async start(): Promise<void> {
    if (this.#open !== undefined) throw new CodedError('FAILED_PRECONDITION', 'The mesh is started already');
    this.#open = await openMesh(this.#deps, { ...this.#options, tags: this.#tags });
    this.#open.core.onChange((before, after) => this.#tell(before, after));
  }

  async stop(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.close();
  }

  self(): Member {
    if (this.#open === undefined) throw new CodedError('FAILED_PRECONDITION', 'The mesh is not started');
    return memberOf(this.#open.core.table.self);
  }

  members(): readonly Member[] {
    return this.#open === undefined ? [] : [...this.#open.core.records()].map(memberOf);
  }

  onChange(listener: (change: MemberChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  setTags(tags: Tags): void {
    encodeTags(tags);
    this.#tags = tags;
    this.#open?.core.setTags(tags);
  }

  async leave(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    await open.stopJoining();
    await new Promise<void>((resolve) => open.core.leave(resolve));
  }

  async ping(name: string): Promise<{ udp: boolean; tcp: boolean }> {
    return this.#open === undefined ? { udp: false, tcp: false } : this.#open.core.ping(name);
  }

  troubles(): MeshTroubles {
    return this.#troubles.told();
  }

  health(): number {
    return this.#open?.core.health ?? 0;
  }

  #tell(before: MemberRecord | undefined, after: MemberRecord): void {
    const change = { before: before === undefined ? undefined : memberOf(before), after: memberOf(after) };
    for (const listener of this.#listeners) listener(change);
  }
}

/** Tags are read once for each metadata: lists are asked for often, and metadata never changes in place. */
const TAGS = new WeakMap<Uint8Array, Tags>();

function memberOf({ name, address, port, state, incarnation, meta }: MemberRecord): Member {
  const tags = TAGS.get(meta) ?? decodeTags(meta);
  TAGS.set(meta, tags);
  return { name, address, port, state, incarnation, tags, node: nodeOfTags(tags) };
}
