/** Datagrams of the mesh. What is lost is lost; what arrives is given on. */
import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import type { MeshEvents } from '../events.ts';
import { canonicalAddress } from '../wire/ip-address.ts';
import type { Endpoint } from './transport.ts';

/** memberlist: `udpRecvBufSize`; the system may give less. */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;

export interface UdpPacketsDeps {
  readonly events: MeshEvents;
  readonly onPacket: (packet: Buffer, from: Endpoint) => void;
}

export class UdpPackets {
  readonly #deps: UdpPacketsDeps;
  #socket: Socket | undefined;

  constructor(deps: UdpPacketsDeps) {
    this.#deps = deps;
  }

  /** @throws Error of the system when the address cannot be had */
  async listen(bind: Endpoint): Promise<void> {
    const socket = createSocket({
      type: isIP(bind.address) === 6 ? 'udp6' : 'udp4',
      // Addresses only: no name is ever looked up here, and none waits for the resolver's threads.
      lookup: (host, _options, callback) => callback(null, host, isIP(host)),
    });
    // Listened for first: without a name to look up it may come at once.
    const listening = once(socket, 'listening');
    socket.bind({ address: bind.address, port: bind.port, exclusive: true });
    try {
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
    this.#socket = socket;
    enlarge(socket);
    socket.on('error', (error) => this.#deps.events.sendFailed(error));
    socket.on('message', (packet, from) => {
      const address = canonicalAddress(from.address) ?? from.address;
      this.#deps.onPacket(packet, { address, port: from.port });
    });
  }

  /** Never throws. */
  send(to: Endpoint, packet: Buffer): void {
    try {
      this.#socket?.send(packet, to.port, to.address, (error) => {
        if (error) this.#deps.events.sendFailed(error);
      });
    } catch (error) {
      this.#deps.events.sendFailed(error);
    }
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

function enlarge(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // The system's own size does too; bursts beyond it are lost, as packets may be.
  }
}
