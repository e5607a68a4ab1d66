/** Whether a member answers now, over each of the two transports: for diagnosis. Changes nothing that the mesh believes. */
import type { PacketSender } from '../gossip/packet-sender.ts';
import type { MemberRecord } from '../members/member-record.ts';
import type { Transport } from '../net/transport.ts';
import type { Scheduler } from '../scheduler.ts';
import { MESSAGE } from '../wire/message-type.ts';
import { readAck, writePing } from '../wire/messages.ts';
import { receiverOf } from './receivers.ts';
import type { SequenceNumbers } from './sequence-numbers.ts';

/** A packet may be lost: so many are sent, so far apart, before it counts as silence. Milliseconds. */
const PACKETS = 3;
const PACKET_EVERY_MS = 400;
const TCP_TIMEOUT_MS = 1_500;
/** Pings waited for at once; beyond, the answer is no. */
const PINGS_MAX = 256;

export interface PingsDeps {
  readonly self: () => MemberRecord;
  readonly scheduler: Scheduler;
  readonly sender: PacketSender;
  readonly transport: Transport;
  readonly numbers: SequenceNumbers;
}

export interface Pinged {
  readonly udp: boolean;
  readonly tcp: boolean;
}

export class Pings {
  readonly #deps: PingsDeps;
  readonly #awaited = new Map<number, (isAnswered: boolean) => void>();

  constructor(deps: PingsDeps) {
    this.#deps = deps;
  }

  async ping(target: MemberRecord): Promise<Pinged> {
    const [udp, tcp] = await Promise.all([this.#byPackets(target), this.#byStream(target)]);
    return { udp, tcp };
  }

  ack(seqNo: number): boolean {
    const answered = this.#awaited.get(seqNo);
    answered?.(true);
    return answered !== undefined;
  }

  stop(): void {
    for (const answered of [...this.#awaited.values()]) answered(false);
  }

  #byPackets(target: MemberRecord): Promise<boolean> {
    if (this.#awaited.size >= PINGS_MAX) return Promise.resolve(false);
    const { scheduler, sender } = this.#deps;
    const { seqNo, message } = this.#message(target);
    return new Promise((resolve) => {
      const send = () => sender.send(receiverOf(target), message);
      const timers = Array.from({ length: PACKETS - 1 }, (_, at) => scheduler.after((at + 1) * PACKET_EVERY_MS, send));
      const settle = (isAnswered: boolean) => {
        for (const cancel of [...timers, end]) cancel();
        this.#awaited.delete(seqNo);
        resolve(isAnswered);
      };
      const end = scheduler.after(PACKETS * PACKET_EVERY_MS, () => settle(false));
      this.#awaited.set(seqNo, settle);
      send();
    });
  }

  #byStream(target: MemberRecord): Promise<boolean> {
    const { seqNo, message } = this.#message(target);
    return new Promise((resolve) => {
      this.#deps.transport.exchange(target, message, { timeoutMs: TCP_TIMEOUT_MS }, (outcome) => {
        resolve('answer' in outcome && isAckOf(outcome.answer, seqNo));
      });
    });
  }

  #message(target: MemberRecord): { seqNo: number; message: Buffer } {
    const { address, port, name } = this.#deps.self();
    const seqNo = this.#deps.numbers.next();
    const source = { sourceAddr: address, sourcePort: port, sourceNode: name };
    return { seqNo, message: writePing({ seqNo, node: target.name, ...source }) };
  }
}

/** Whatever else is answered is no answer. */
function isAckOf(answer: Buffer, seqNo: number): boolean {
  try {
    return answer[0] === MESSAGE.ack && readAck(answer).seqNo === seqNo;
  } catch {
    return false;
  }
}
