/** The listening socket: lets members in, and nobody else. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError, messageOf } from '../../../core/runtime/errors.ts';
import type { PeerEvents } from '../events.ts';
import type { PeerLimits } from '../limits.ts';
import type { PeerTrust, TlsMaterial } from '../trust/peer-trust.ts';
import { toWire } from '../wire/status.ts';
import { AcceptedConnection } from './accepted-connections.ts';

const KEEP_ALIVE_MS = 15_000;
/** Connections that the kernel may hold for us. */
const BACKLOG = 1024;

const NOT_A_MEMBER = unauthenticated();

export interface PeerListenerDeps {
  readonly trust: PeerTrust;
  readonly clock: Clock;
  readonly events: PeerEvents;
  readonly limits: PeerLimits;
  /** Takes over a connection of a member. */
  readonly accept: (connection: AcceptedConnection) => void;
}

export class PeerListener {
  readonly #deps: PeerListenerDeps;
  readonly #handshakes = new Set<Socket>();
  #server: Server | undefined;
  #tls: TlsServer | undefined;
  #presented: TlsMaterial | undefined;

  constructor(deps: PeerListenerDeps) {
    this.#deps = deps;
  }

  address(): { host: string; port: number } | undefined {
    const address = this.#server?.address();
    if (address === null || address === undefined || typeof address === 'string') return undefined;
    return { host: address.address, port: address.port };
  }

  /** @throws CodedError UNAVAILABLE when the address cannot be had */
  async listen(where: { host: string; port: number }): Promise<void> {
    const server = this.#deps.trust.isSecure ? this.#createTls() : createServer((socket) => this.#acceptPlain(socket));
    const ready = Promise.withResolvers<void>();
    server.once('error', (error) => {
      const reason = `Peer port cannot listen on ${where.host}:${where.port}: ${messageOf(error)}`;
      ready.reject(new CodedError('UNAVAILABLE', reason, { cause: error }));
    });
    server.listen({ ...where, backlog: BACKLOG }, () => ready.resolve());
    await ready.promise;
    server.on('error', (err) => this.#deps.events.failed({ what: 'listen', err }));
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#tls = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#handshakes) socket.destroy();
    await closed;
  }

  /** Presents and trusts what `trust` says now; handshakes under way may rest on what it said before, so they end. */
  renew(options: { endHandshakes: boolean }): void {
    const material = this.#deps.trust.material();
    if (this.#tls === undefined || material === undefined) return;
    if (material !== this.#presented) this.#tls.setSecureContext(secureOptions(material));
    this.#presented = material;
    if (options.endHandshakes) for (const socket of [...this.#handshakes]) socket.destroy();
  }

  #createTls(): TlsServer {
    const { trust, limits, events } = this.#deps;
    const material = trust.material();
    if (material === undefined) throw new CodedError('FAILED_PRECONDITION', 'Peer port has no certificate to present');
    this.#presented = material;
    const server = createTlsServer({
      ...secureOptions(material),
      requestCert: true,
      // Whoever is no member is told so in `#acceptTls`, and gets no further.
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeTimeoutMs,
      ALPNProtocols: ['http/1.1'],
    });
    server.on('connection', (socket) => this.#greet(socket));
    server.on('tlsClientError', (err, socket) => {
      events.refused(hungUp(err) ? 'hung_up' : 'not_a_member', { peer: socket.remoteAddress ?? '', err });
      socket.destroy();
    });
    server.on('secureConnection', (socket) => this.#acceptTls(socket));
    this.#tls = server;
    return server;
  }

  /**
   * The raw socket, before its handshake. It is kept until it closes or has become a member's. When there are too many, the oldest
   * goes: members are done in a moment, so outsiders who linger cannot keep them out.
   */
  #greet(socket: Socket): void {
    socket.on('error', ignore);
    const [oldest] = this.#handshakes;
    if (oldest !== undefined && this.#handshakes.size >= this.#deps.limits.handshakesMax) {
      this.#deps.events.refused('too_many_connections', { peer: oldest.remoteAddress ?? '' });
      this.#handshakes.delete(oldest);
      oldest.destroy();
    }
    this.#handshakes.add(socket);
    socket.once('close', () => this.#handshakes.delete(socket));
  }

  /** Node would close outsiders without a word; here they are told, and their own logs can say it. */
  #acceptTls(socket: TLSSocket): void {
    const { trust, events, clock } = this.#deps;
    const raw = this.#rawOf(socket);
    socket.on('error', ignore);
    const peer = trust.prove(socket.getPeerX509Certificate());
    // A session that is taken up again proves nothing about the keyring of today.
    if (!socket.authorized || socket.isSessionReused() || peer === undefined) {
      events.refused('not_a_member', { peer: socket.remoteAddress ?? '', err: socket.authorizationError });
      this.#turnAway(socket);
      return;
    }
    if (raw !== undefined) this.#handshakes.delete(raw);
    const own = trust.material()?.authorityId;
    const authorityIds = own === undefined ? [peer.authorityId] : [peer.authorityId, own];
    this.#hand(new AcceptedConnection({ socket, peer: peer.names[0] ?? '', authorityIds }, clock));
  }

  /** Answers the first bytes, whatever they are, without a look at them. It counts among the handshakes until it is closed. */
  #turnAway(socket: TLSSocket): void {
    socket.setTimeout(this.#deps.limits.handshakeTimeoutMs, () => socket.destroy());
    socket.once('data', () => socket.end(NOT_A_MEMBER));
    socket.once('finish', () => socket.destroySoon());
  }

  #acceptPlain(socket: Socket): void {
    socket.on('error', ignore);
    const peer = socket.remoteAddress ?? 'unknown';
    this.#hand(new AcceptedConnection({ socket, peer, authorityIds: [] }, this.#deps.clock));
  }

  #hand(connection: AcceptedConnection): void {
    connection.socket.setNoDelay(true);
    connection.socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#deps.accept(connection);
  }

  /** Node does not say which raw socket a TLS socket stands on; both have the same two ends. */
  #rawOf(tls: TLSSocket): Socket | undefined {
    const isSame = (raw: Socket) => raw.remotePort === tls.remotePort && raw.remoteAddress === tls.remoteAddress;
    return [...this.#handshakes].find(isSame);
  }
}

/** It went away, or said nothing, before its certificate could be judged: a member that no longer needs the connection does so too. */
function hungUp(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT');
}

function unauthenticated(): Buffer {
  const { body } = toWire(
    new CodedError('UNAUTHENTICATED', 'Your certificate is none of this mesh: compare keys and clocks'),
  );
  const head = `HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

function secureOptions({ cert, key, ca }: TlsMaterial) {
  return { cert, key, ca, minVersion: 'TLSv1.3' as const };
}

const ignore = () => undefined;
