/** Whole states, exchanged now and then with one member over a stream: what gossip lost arrives with it. */
import type { MeshEvents } from '../events.ts';
import type { MemberKeeper } from '../members/member-keeper.ts';
import { MEMBER_STATES } from '../members/member-record.ts';
import type { MemberTable } from '../members/member-table.ts';
import { findIncompatible } from '../members/protocol-versions.ts';
import type { Rounds } from '../members/rounds.ts';
import { pushPullIntervalMs } from '../members/formulas.ts';
import type { Endpoint, Transport } from '../net/transport.ts';
import type { Timings } from '../presets.ts';
import { Ticker } from '../probing/ticker.ts';
import type { Scheduler } from '../scheduler.ts';
import { MESSAGE } from '../wire/message-type.ts';
import { readError } from '../wire/messages.ts';
import { type PushPull, readPushPull, writePushPull } from '../wire/push-pull.ts';
import { WireFault } from '../wire/wire-fault.ts';

/** What the application above adds to each exchange. */
export interface ApplicationState {
  local(): Uint8Array;
  merge(state: Uint8Array): void;
}

export interface StateExchangeDeps {
  readonly table: MemberTable;
  readonly rounds: Rounds;
  readonly keeper: MemberKeeper;
  readonly transport: Transport;
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly timings: Timings;
  readonly events: MeshEvents;
  readonly application: ApplicationState;
}

export class StateExchange {
  readonly #deps: StateExchangeDeps;
  readonly #ticker: Ticker;

  constructor(deps: StateExchangeDeps) {
    this.#deps = deps;
    const { scheduler, random, timings, table } = deps;
    const intervalMs = () => pushPullIntervalMs(timings.pushPullIntervalMs, table.size);
    this.#ticker = new Ticker({ scheduler, random, intervalMs, run: () => this.#tick() });
  }

  start(): void {
    this.#ticker.start();
  }

  stop(): void {
    this.#ticker.stop();
  }

  /** Exchanges states with whoever is at `to`. `done`: with the failure, if any. */
  exchange(to: Endpoint, options: { isJoin: boolean }, done: (failure?: Error) => void): void {
    const { transport, timings, events } = this.#deps;
    const fail = (error: Error) => {
      events.exchangeFailed(to, error);
      done(error);
    };
    transport.exchange(to, this.#localState(options.isJoin), { timeoutMs: timings.streamTimeoutMs }, (outcome) => {
      if ('failure' in outcome) return fail(outcome.failure);
      try {
        this.#merge(readAnswer(outcome.answer));
      } catch (error) {
        if (error instanceof WireFault) return fail(error);
        throw error;
      }
      done();
    });
  }

  /** Our state for the one that was sent. @throws WireFault */
  answer(message: Buffer): Buffer {
    const theirs = readPushPull(message);
    const ours = this.#localState(theirs.isJoin);
    this.#merge(theirs);
    return ours;
  }

  #tick(): void {
    const [partner] = this.#deps.rounds.pick(1, ({ state }) => state === 'alive');
    if (partner !== undefined) this.exchange(partner, { isJoin: false }, () => undefined);
  }

  #merge({ nodes, userState }: PushPull): void {
    const { table, keeper, application } = this.#deps;
    const theirs = nodes.map(({ name, vsn, state }) => ({ name, vsn, state: MEMBER_STATES[state] ?? 'dead' }));
    const stranger = findIncompatible([...theirs, ...table.records()]);
    if (stranger !== undefined) throw new WireFault('incompatible', `"${stranger}" speaks a version that not all do`);
    keeper.merge(nodes);
    if (userState.length > 0) application.merge(userState);
  }

  #localState(isJoin: boolean): Buffer {
    const nodes = [...this.#deps.table.records()].map((record) => ({
      name: record.name,
      addr: record.address,
      port: record.port,
      meta: record.meta,
      incarnation: record.incarnation,
      state: MEMBER_STATES.indexOf(record.state),
      vsn: record.vsn,
    }));
    return writePushPull({ isJoin, nodes, userState: this.#deps.application.local() });
  }
}

function readAnswer(answer: Buffer): PushPull {
  if (answer[0] === MESSAGE.error) throw new WireFault('unsupported', `The other side says: ${readError(answer)}`);
  if (answer[0] !== MESSAGE.pushPull)
    throw new WireFault('unsupported', `Message type ${answer[0]} in answer to a state`);
  return readPushPull(answer);
}
