/** Streams that others open: one message in, at most one out. Bounded in number, bytes and time, whoever opens them. */
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import type { MeshEvents } from '../events.ts';
import { STREAMS_MAX, STREAMS_PER_ADDRESS_MAX, STREAM_BYTES_TOTAL_MAX } from '../limits.ts';
import { canonicalAddress } from '../wire/ip-address.ts';
import { writeError } from '../wire/messages.ts';
import type { StreamAssembler, StreamCodec } from '../wire/stream-codec.ts';
import { WireFault } from '../wire/wire-fault.ts';
import type { Endpoint } from './transport.ts';

export interface StreamServerDeps {
  readonly codec: StreamCodec;
  readonly events: MeshEvents;
  /** The answer to a whole message, if it has one. */
  readonly onStream: (message: Buffer, from: Endpoint) => Buffer | undefined;
  /** From the first byte to the last, milliseconds. */
  readonly timeoutMs: number;
}

interface Inbound {
  readonly socket: Socket;
  readonly from: Endpoint;
  readonly assembler: StreamAssembler;
  isAnswered: boolean;
}

export class StreamServer {
  readonly #deps: StreamServerDeps;
  readonly #inbound = new Set<Inbound>();
  #server: Server | undefined;

  constructor(deps: StreamServerDeps) {
    this.#deps = deps;
  }

  /** @returns the port. @throws Error of the system when the address cannot be had */
  async listen(bind: Endpoint): Promise<number> {
    const server = createServer((socket) => this.#accept(socket));
    server.listen({ host: bind.address, port: bind.port, exclusive: true });
    await once(server, 'listening');
    this.#server = server;
    server.on('error', (error) => this.#deps.events.sendFailed(error));
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const { socket } of this.#inbound) socket.destroy();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const from = {
      address: canonicalAddress(socket.remoteAddress ?? '') ?? '',
      port: socket.remotePort ?? 0,
    };
    socket.on('error', () => socket.destroy());
    if (this.#isFull(from)) {
      this.#deps.events.dropped('streams_full', from);
      socket.destroy();
      return;
    }
    const inbound = { socket, from, assembler: this.#deps.codec.assemble({ hasLabel: true }), isAnswered: false };
    this.#inbound.add(inbound);
    const deadline = setTimeout(() => this.#expire(inbound), this.#deps.timeoutMs);
    socket.on('close', () => {
      clearTimeout(deadline);
      this.#inbound.delete(inbound);
    });
    socket.on('data', (chunk) => this.#read(inbound, chunk));
  }

  #isFull({ address }: Endpoint): boolean {
    if (this.#inbound.size < STREAMS_PER_ADDRESS_MAX) return false;
    const sameAddress = [...this.#inbound].filter(({ from }) => from.address === address).length;
    return this.#inbound.size >= STREAMS_MAX || sameAddress >= STREAMS_PER_ADDRESS_MAX;
  }

  #expire({ socket, from, isAnswered }: Inbound): void {
    if (!isAnswered) this.#deps.events.dropped('timeout', from);
    socket.destroy();
  }

  #read(inbound: Inbound, chunk: Buffer): void {
    const { socket, from, assembler } = inbound;
    try {
      const message = assembler.push(chunk);
      if (message !== undefined) this.#answer(inbound, this.#deps.onStream(message, from));
      else if (this.#heldBytes() > STREAM_BYTES_TOTAL_MAX) throw new WireFault('streams_full', 'Streams hold too much');
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      this.#deps.events.dropped(error.reason, from);
      // Sealed with our key: whoever has another one learns from its own log that the keys differ.
      if (error.reason === 'undecryptable' || error.reason === 'unencrypted') {
        this.#answer(inbound, writeError('The message is not sealed with a key of this mesh'));
      } else socket.destroy();
    }
  }

  #answer(inbound: Inbound, answer: Buffer | undefined): void {
    const { socket } = inbound;
    inbound.isAnswered = true;
    socket.removeAllListeners('data');
    socket.resume();
    if (answer === undefined) socket.end();
    else socket.end(this.#deps.codec.seal(answer, { hasLabel: false }));
  }

  #heldBytes(): number {
    let bytes = 0;
    for (const { assembler } of this.#inbound) bytes += assembler.size;
    return bytes;
  }
}
