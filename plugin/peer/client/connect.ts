/** Opening a connection to a peer, and finding out that it is the peer that was meant. */
import { type Socket, connect as connectTcp } from 'node:net';
import { type SecureContext, type TLSSocket, connect as connectTls, createSecureContext } from 'node:tls';
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError, errnoOf, messageOf } from '../../../core/runtime/errors.ts';
import { isLoopback } from '../loopback.ts';
import type { PeerAddress } from '../peer.ts';
import type { PeerTrust, TlsMaterial } from '../trust/peer-trust.ts';
import { PeerConnection } from './peer-connection.ts';

/** Silent connections are probed by the kernel. */
const KEEP_ALIVE_MS = 15_000;

export interface ConnectDeps {
  readonly trust: PeerTrust;
  readonly clock: Clock;
  /** Without a key other machines are not spoken to. */
  readonly isLoopbackOnly: boolean;
  readonly timeoutMs: number;
}

export interface Connected {
  readonly connection: PeerConnection;
  /** The authorities that this connection rests on: ours and the peer's. */
  readonly authorityIds: readonly string[];
}

/** @throws CodedError UNAVAILABLE (unreachable), UNAUTHENTICATED (no member, or another one), the signal's reason */
export async function connectPeer(deps: ConnectDeps, peer: PeerAddress, signal: AbortSignal): Promise<Connected> {
  signal.throwIfAborted();
  if (deps.isLoopbackOnly && !isLoopback(peer.host)) {
    throw new CodedError('UNAVAILABLE', `Peer "${peer.name}" is not asked: without a mesh key only loopback is`);
  }
  const connection = new PeerConnection(() => deps.clock.monotonicMs());
  const opening = open(deps, peer, connection);
  const ended = new AbortController();
  const giveUp = deps.clock.sleep(deps.timeoutMs, { signal: AbortSignal.any([signal, ended.signal]) });
  try {
    const late = giveUp.then(() => {
      throw new CodedError('UNAVAILABLE', `Peer "${peer.name}" did not answer within ${deps.timeoutMs} ms`);
    });
    const authorityIds = await Promise.race([opening.ready, late]);
    connection.attach(opening.socket);
    return { connection, authorityIds };
  } catch (error) {
    opening.socket.destroy();
    signal.throwIfAborted();
    throw connectError(error, peer);
  } finally {
    ended.abort();
  }
}

function open(deps: ConnectDeps, peer: PeerAddress, connection: PeerConnection) {
  const where = {
    host: peer.host,
    port: peer.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  };
  const material = deps.trust.material();
  if (material === undefined) {
    const socket = connectTcp({ ...where, onread: connection.onread });
    return { socket, ready: opened(socket, 'connect').then(() => []) };
  }
  const options = {
    ...where,
    secureContext: contextOf(material),
    ALPNProtocols: ['http/1.1'],
    // Hosts are addresses that move; the name that counts is checked below.
    checkServerIdentity: () => undefined,
    onread: connection.onread,
  };
  const socket = connectTls(options);
  const ready = opened(socket, 'secureConnect').then(() => [
    material.authorityId,
    provenAuthority(deps.trust, socket, peer),
  ]);
  return { socket, ready };
}

/** Reading certificates takes longer than the rest of a connection's set-up. */
const contexts = new WeakMap<TlsMaterial, SecureContext>();

function contextOf(material: TlsMaterial): SecureContext {
  const context = contexts.get(material) ?? createSecureContext({ ...material, minVersion: 'TLSv1.3' });
  contexts.set(material, context);
  return context;
}

function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  const done = Promise.withResolvers<void>();
  socket.once(event, () => done.resolve());
  socket.once('error', (error) => done.reject(error));
  socket.once('close', () => done.reject(new Error('the connection was closed')));
  // Sockets may fail more than once; without a listener that would end the process.
  socket.on('error', ignore);
  done.promise.catch(ignore);
  return done.promise;
}

const ignore = () => undefined;

function provenAuthority(trust: PeerTrust, socket: TLSSocket, peer: PeerAddress): string {
  const proven = trust.prove(socket.getPeerX509Certificate());
  if (proven?.names.includes(peer.name) === true) return proven.authorityId;
  const found = proven === undefined ? 'nobody' : `"${proven.names.join('", "')}"`;
  throw new CodedError(
    'UNAUTHENTICATED',
    `Peer at ${peer.host}:${peer.port} proved to be ${found}, not "${peer.name}"`,
  );
}

/** Failures of the handshake, told from those of the network: alerts of the other side and verdicts of our own. */
const DISTRUST = /^(ERR_SSL_|CERT_|SELF_SIGNED_|UNABLE_TO_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|ERR_TLS_)/;

export function connectError(error: unknown, peer: PeerAddress): CodedError {
  if (error instanceof CodedError) return error;
  const reason = errnoOf(error) ?? codeText(error);
  const code = DISTRUST.test(reason) ? 'UNAUTHENTICATED' : 'UNAVAILABLE';
  return new CodedError(code, `Peer "${peer.name}" cannot be reached: ${messageOf(error)}`, { cause: error });
}

/**
 * True for failures that come from such an alert: in TLS 1.3 a client hears that it is not trusted only after its own side of the
 * handshake is done.
 */
export function isDistrust(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'UNAVAILABLE' && DISTRUST.test(codeText(error.cause));
}

function codeText(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
