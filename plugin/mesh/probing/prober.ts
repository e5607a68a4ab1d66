/**
 * Finds out who does not answer: one member an interval, directly, then through others and over TCP, then suspected. What
 * others say of the failed probe (nacks) tells whether to doubt the member or ourselves. (SWIM; Lifeguard; memberlist
 * `state.go` probeNode)
 */
import type { MeshEvents } from '../events.ts';
import type { PacketSender } from '../gossip/packet-sender.ts';
import type { Awareness } from '../members/awareness.ts';
import type { MemberKeeper } from '../members/member-keeper.ts';
import { type MemberRecord, protocolMax } from '../members/member-record.ts';
import type { Rounds } from '../members/rounds.ts';
import type { Transport } from '../net/transport.ts';
import type { Timings } from '../presets.ts';
import type { Scheduler } from '../scheduler.ts';
import { MESSAGE } from '../wire/message-type.ts';
import { type Ping, readAck, writeIndirectPing, writePing, writeSuspect } from '../wire/messages.ts';
import { receiverOf } from './receivers.ts';
import type { SequenceNumbers } from './sequence-numbers.ts';
import { Ticker } from './ticker.ts';

/** Members say from these versions on that a probe for us failed, and answer pings over TCP. */
const NACK_SINCE = 4;
const TCP_PING_SINCE = 3;

interface Probe {
  readonly ping: Ping;
  readonly target: MemberRecord;
  readonly endsMs: number;
  nacksExpected: number;
  nacks: number;
  hasTcpAnswer: boolean;
  cancelTimeout: () => void;
  cancelEnd: () => void;
}

export interface ProberDeps {
  readonly self: () => MemberRecord;
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly sender: PacketSender;
  readonly transport: Transport;
  readonly rounds: Rounds;
  readonly keeper: MemberKeeper;
  readonly awareness: Awareness;
  readonly events: MeshEvents;
  readonly timings: Timings;
  readonly numbers: SequenceNumbers;
}

export class Prober {
  readonly #deps: ProberDeps;
  readonly #ticker: Ticker;
  #probe: Probe | undefined;
  /** An interval passed while a probe was running: the next begins when that ends. */
  #isDue = false;

  constructor(deps: ProberDeps) {
    this.#deps = deps;
    const { scheduler, random, timings } = deps;
    this.#ticker = new Ticker({
      scheduler,
      random,
      intervalMs: () => timings.probeIntervalMs,
      run: () => this.#tick(),
    });
  }

  start(): void {
    this.#ticker.start();
  }

  stop(): void {
    this.#ticker.stop();
    this.#close();
  }

  /** @returns false when the answer is not to our probe */
  ack(seqNo: number): boolean {
    if (this.#probe?.ping.seqNo !== seqNo) return false;
    this.#succeed();
    return true;
  }

  nack(seqNo: number): void {
    if (this.#probe?.ping.seqNo === seqNo) this.#probe.nacks += 1;
  }

  #tick(): void {
    if (this.#probe !== undefined) {
      this.#isDue = true;
      return;
    }
    const target = this.#deps.rounds.next(this.#deps.scheduler.nowMs());
    if (target !== undefined) this.#begin(target);
  }

  #begin(target: MemberRecord): void {
    const { scheduler, awareness, timings, sender, numbers, self } = this.#deps;
    const { name, address, port } = self();
    const ping = { seqNo: numbers.next(), node: target.name, sourceAddr: address, sourcePort: port, sourceNode: name };
    const intervalMs = awareness.scaleMs(timings.probeIntervalMs);
    this.#probe = {
      ping,
      target,
      endsMs: scheduler.nowMs() + intervalMs,
      nacksExpected: 0,
      nacks: 0,
      hasTcpAnswer: false,
      cancelTimeout: scheduler.after(timings.probeTimeoutMs, () => this.#askOthers()),
      cancelEnd: scheduler.after(intervalMs, () => this.#end()),
    };
    const { incarnation, name: node } = target;
    const message = writePing(ping);
    // A suspect is told at once, so that it can object as soon as possible.
    if (target.state === 'alive') sender.send(receiverOf(target), message);
    else sender.send(receiverOf(target), message, writeSuspect({ incarnation, node, from: name }));
  }

  #askOthers(): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    const { rounds, sender, timings, transport, scheduler } = this.#deps;
    const { target, ping } = probe;
    const helpers = rounds.pick(
      timings.indirectChecks,
      (record) => record.state === 'alive' && record.name !== target.name,
    );
    for (const helper of helpers) {
      const nack = protocolMax(helper) >= NACK_SINCE;
      if (nack) probe.nacksExpected += 1;
      const request = { ...ping, target: target.address, port: target.port, nack };
      sender.send(receiverOf(helper), writeIndirectPing(request));
    }
    if (protocolMax(target) < TCP_PING_SINCE) return;
    const timeoutMs = Math.max(1, probe.endsMs - scheduler.nowMs());
    transport.exchange(target, writePing(ping), { timeoutMs }, (outcome) => {
      probe.hasTcpAnswer = 'answer' in outcome && isAckOf(outcome.answer, ping.seqNo);
    });
  }

  #end(): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    const { awareness, keeper, events, self } = this.#deps;
    if (probe.hasTcpAnswer) {
      events.onlyTcpAnswers(probe.target.name);
      this.#succeed();
      return;
    }
    awareness.apply(probe.nacksExpected > 0 ? Math.max(0, probe.nacksExpected - probe.nacks) : 1);
    const { incarnation, name } = probe.target;
    this.#close();
    keeper.suspect({ incarnation, node: name, from: self().name });
    this.#catchUp();
  }

  #succeed(): void {
    this.#deps.awareness.apply(-1);
    this.#close();
    this.#catchUp();
  }

  #close(): void {
    this.#probe?.cancelTimeout();
    this.#probe?.cancelEnd();
    this.#probe = undefined;
  }

  #catchUp(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#tick();
  }
}

function isAckOf(answer: Buffer, seqNo: number): boolean {
  return answer[0] === MESSAGE.ack && readAck(answer).seqNo === seqNo;
}
