/** The transport of production: UDP and TCP on one port. */
import { CodedError, errnoOf, messageOf } from '../../../core/runtime/errors.ts';
import type { MeshEvents } from '../events.ts';
import type { StreamCodec } from '../wire/stream-codec.ts';
import { StreamClient } from './stream-client.ts';
import { StreamServer } from './stream-server.ts';
import type { Endpoint, ExchangeDone, Transport } from './transport.ts';
import { UdpPackets } from './udp-packets.ts';

/** With port 0 the system picks one for TCP that UDP may not have. memberlist tries as often. */
const BIND_ATTEMPTS_MAX = 10;

export interface NetTransportDeps {
  readonly codec: StreamCodec;
  readonly events: MeshEvents;
  readonly streamTimeoutMs: number;
  readonly onPacket: (packet: Buffer, from: Endpoint) => void;
  readonly onStream: (message: Buffer, from: Endpoint) => Buffer | undefined;
}

export class NetTransport implements Transport {
  readonly #packets: UdpPackets;
  readonly #server: StreamServer;
  readonly #client: StreamClient;

  constructor(deps: NetTransportDeps) {
    this.#packets = new UdpPackets(deps);
    this.#server = new StreamServer({ ...deps, timeoutMs: deps.streamTimeoutMs });
    this.#client = new StreamClient(deps);
  }

  /** @returns the port that was bound. @throws CodedError UNAVAILABLE naming the address */
  async listen(bind: Endpoint): Promise<number> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const port = await this.#server.listen(bind);
        await this.#packets.listen({ ...bind, port });
        return port;
      } catch (error) {
        await this.#server.close();
        const mayRetry = bind.port === 0 && errnoOf(error) === 'EADDRINUSE' && attempt < BIND_ATTEMPTS_MAX;
        if (mayRetry) continue;
        const text = `Listening on ${bind.address} port ${bind.port} for the mesh failed: ${messageOf(error)}`;
        throw new CodedError('UNAVAILABLE', text, { cause: error });
      }
    }
  }

  sendPacket(to: Endpoint, packet: Buffer): void {
    this.#packets.send(to, packet);
  }

  exchange(to: Endpoint, message: Buffer, options: { timeoutMs: number }, done: ExchangeDone): void {
    this.#client.exchange(to, message, options, done);
  }

  async close(): Promise<void> {
    this.#client.close();
    await this.#packets.close();
    await this.#server.close();
  }
}
