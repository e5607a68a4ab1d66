/**
 * Keeps the table: gives it what was heard or found out, and does what follows – rumours, suspicions, news for listeners.
 * (memberlist `state.go`)
 */
import type { MeshEvents } from '../events.ts';
import type { Rumours } from '../gossip/rumours.ts';
import type { Timings } from '../presets.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Alive, Dead, Suspect } from '../wire/messages.ts';
import { writeAlive, writeDead, writeSuspect } from '../wire/messages.ts';
import type { PushedNode } from '../wire/push-pull.ts';
import type { Awareness } from './awareness.ts';
import { suspicionTimeoutMs } from './formulas.ts';
import { MEMBER_STATES, type MemberRecord } from './member-record.ts';
import type { MemberTable, Verdict } from './member-table.ts';
import { aliveOf } from './member-table.ts';
import { Suspicions } from './suspicions.ts';

export interface MemberKeeperDeps {
  readonly table: MemberTable;
  readonly scheduler: Scheduler;
  readonly rumours: Rumours;
  readonly awareness: Awareness;
  readonly events: MeshEvents;
  readonly timings: Timings;
  readonly onChange: (before: MemberRecord | undefined, after: MemberRecord) => void;
}

export class MemberKeeper {
  readonly #deps: MemberKeeperDeps;
  readonly #suspicions: Suspicions;

  constructor(deps: MemberKeeperDeps) {
    this.#deps = deps;
    this.#suspicions = new Suspicions({ scheduler: deps.scheduler, onEnd: (name) => this.#onSuspicionEnd(name) });
  }

  /** Tells everybody that we are here. */
  announce(): void {
    const self = this.#deps.table.self;
    this.#deps.rumours.tellAboutMember(self.name, writeAlive(aliveOf(self)));
  }

  renew(meta: Uint8Array): void {
    this.#apply(this.#deps.table.renew(meta, this.#nowMs), this.#deps.table.self.name);
  }

  /** `onTold`: enough others have heard that we go. */
  leave(onTold: () => void): void {
    this.#apply(this.#deps.table.leave(this.#nowMs), this.#deps.table.self.name, onTold);
  }

  settleLeft(name: string): void {
    this.#apply(this.#deps.table.settleLeft(name), name);
  }

  alive(message: Alive): void {
    const known = this.#deps.table.get(message.node);
    const verdict = this.#deps.table.alive(message, this.#nowMs);
    if (verdict.refused === 'conflict' && known !== undefined) this.#onConflict(known, message);
    this.#apply(verdict, message.node);
  }

  suspect(message: Suspect): void {
    const verdict = this.#deps.table.suspect(message, this.#nowMs);
    if (verdict.suspicion === 'confirm' && !this.#suspicions.confirm(message.node, message.from)) return;
    this.#apply(verdict, message.node);
    if (verdict.suspicion === 'start') this.#startSuspicion(message);
  }

  dead(message: Dead): void {
    this.#apply(this.#deps.table.dead(message, this.#nowMs), message.node);
  }

  /** What another member believes. Its dead ones are only suspected here: they may object. */
  merge(nodes: readonly PushedNode[]): void {
    const from = this.#deps.table.self.name;
    for (const { name: node, incarnation, addr, port, meta, vsn, state: number } of nodes) {
      const state = MEMBER_STATES[number];
      if (state === 'alive') this.alive({ node, incarnation, addr, port, meta, vsn });
      else if (state === 'left') this.dead({ node, incarnation, from: node });
      else this.suspect({ node, incarnation, from });
    }
  }

  stop(): void {
    this.#suspicions.stop();
  }

  get #nowMs(): number {
    return this.#deps.scheduler.nowMs();
  }

  #apply(verdict: Verdict, name: string, onTold?: () => void): void {
    const { rumours, events, awareness, onChange } = this.#deps;
    if (verdict.suspicion === 'clear') this.#suspicions.clear(name);
    if (verdict.rumour !== undefined) rumours.tellAboutMember(name, encode(verdict.rumour), onTold);
    if (verdict.isRefuted) {
      awareness.apply(1);
      events.refuted(verdict.change?.after.incarnation ?? 0);
    }
    if (verdict.refused !== undefined && verdict.refused !== 'conflict') events.dropped(verdict.refused);
    if (verdict.change !== undefined) onChange(verdict.change.before, verdict.change.after);
  }

  #onConflict(known: MemberRecord, { addr, port, node }: Alive): void {
    this.#deps.events.nameConflict({
      name: node,
      isOurs: node === this.#deps.table.self.name,
      known: { address: known.address, port: known.port },
      other: { address: addr, port },
    });
  }

  /** The least time is reached two probe intervals before what one would expect; in a tiny mesh nobody confirms. */
  #startSuspicion({ node, from }: Suspect): void {
    const { timings, table } = this.#deps;
    const others = table.size - 2;
    const confirmations = timings.suspicionFactor - 2;
    const leastMs = suspicionTimeoutMs(timings.suspicionFactor, table.size, timings.probeIntervalMs);
    const mostMs = timings.suspicionMaxFactor * leastMs;
    this.#suspicions.start(node, { from, wanted: others < confirmations ? 0 : confirmations, leastMs, mostMs });
  }

  #onSuspicionEnd(name: string): void {
    const record = this.#deps.table.get(name);
    if (record?.state !== 'suspect') return;
    this.dead({ incarnation: record.incarnation, node: name, from: this.#deps.table.self.name });
  }
}

function encode(rumour: NonNullable<Verdict['rumour']>): Buffer {
  if (rumour.kind === 'alive') return writeAlive(rumour.message);
  return rumour.kind === 'dead' ? writeDead(rumour.message) : writeSuspect(rumour.message);
}
