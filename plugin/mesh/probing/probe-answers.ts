/** The other side of probing: answers pings, and probes for others. (memberlist `net.go` handlePing, handleIndirectPing) */
import type { MeshEvents } from '../events.ts';
import type { PacketSender, Receiver } from '../gossip/packet-sender.ts';
import { AWAITED_ACKS_MAX } from '../limits.ts';
import { type MemberRecord, protocolMax } from '../members/member-record.ts';
import type { Endpoint } from '../net/transport.ts';
import type { Timings } from '../presets.ts';
import type { Scheduler } from '../scheduler.ts';
import { type IndirectPing, type Ping, writeAck, writeNack, writePing } from '../wire/messages.ts';
import type { SequenceNumbers } from './sequence-numbers.ts';

const NO_PAYLOAD = new Uint8Array(0);

export interface ProbeAnswersDeps {
  readonly self: () => MemberRecord;
  readonly find: (name: string) => MemberRecord | undefined;
  readonly scheduler: Scheduler;
  readonly sender: PacketSender;
  readonly events: MeshEvents;
  readonly timings: Timings;
  readonly numbers: SequenceNumbers;
}

interface Relayed {
  readonly onAck: () => void;
  readonly cancel: () => void;
}

export class ProbeAnswers {
  readonly #deps: ProbeAnswersDeps;
  readonly #relayed = new Map<number, Relayed>();

  constructor(deps: ProbeAnswersDeps) {
    this.#deps = deps;
  }

  /** @returns false when the ping is for another member: its name has moved away from this address */
  isForUs(ping: Ping): boolean {
    return ping.node === '' || ping.node === this.#deps.self().name;
  }

  ping(ping: Ping, from: Endpoint): void {
    if (!this.isForUs(ping)) {
      this.#deps.events.dropped('other_member', from);
      return;
    }
    this.#deps.sender.send(this.#asker(ping, from), writeAck({ seqNo: ping.seqNo, payload: NO_PAYLOAD }));
  }

  indirectPing(request: IndirectPing, from: Endpoint): void {
    const { scheduler, timings, sender, numbers, self, events } = this.#deps;
    if (this.#relayed.size >= AWAITED_ACKS_MAX) {
      events.dropped('acks_full', from);
      return;
    }
    const seqNo = numbers.next();
    const asker = this.#asker(request, from);
    const cancel = scheduler.after(timings.probeTimeoutMs, () => {
      this.#relayed.delete(seqNo);
      if (request.nack) sender.send(asker, writeNack({ seqNo: request.seqNo }));
    });
    const onAck = () => sender.send(asker, writeAck({ seqNo: request.seqNo, payload: NO_PAYLOAD }));
    this.#relayed.set(seqNo, { onAck, cancel });
    const { address, port, name } = self();
    const target = { address: request.target, port: request.port, protocolMax: 0 };
    const source = { sourceAddr: address, sourcePort: port, sourceNode: name };
    sender.send(target, writePing({ seqNo, node: request.node, ...source }));
  }

  /** An answer to a probe that we made for another. */
  ack(seqNo: number): void {
    const relayed = this.#relayed.get(seqNo);
    if (relayed === undefined) return;
    this.#relayed.delete(seqNo);
    relayed.cancel();
    relayed.onAck();
  }

  stop(): void {
    for (const { cancel } of this.#relayed.values()) cancel();
    this.#relayed.clear();
  }

  /** Answers go to the address that the asker names, which is where members know it. */
  #asker(asked: { sourceAddr: string; sourcePort: number; sourceNode: string }, from: Endpoint): Receiver {
    const known = this.#deps.find(asked.sourceNode);
    const isNamed = asked.sourceAddr !== '' && asked.sourcePort > 0;
    const endpoint = isNamed ? { address: asked.sourceAddr, port: asked.sourcePort } : from;
    return { ...endpoint, protocolMax: known === undefined ? 0 : protocolMax(known) };
  }
}
