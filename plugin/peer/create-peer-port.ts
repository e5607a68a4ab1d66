/** The peer port put together: who may speak, what is answered, what is asked of others. */
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import { TokenBucket } from '../../core/runtime/token-bucket.ts';
import { CallClient } from './client/call-client.ts';
import { connectPeer } from './client/connect.ts';
import { ConnectionPool } from './client/connection-pool.ts';
import { RangeClient } from './client/range-client.ts';
import { createPeerEvents, type PeerEvents } from './events.ts';
import type { PeerIdentity } from './identity.ts';
import { PEER_LIMITS, type PeerLimits, type PeerPortOptions } from './limits.ts';
import { isLoopback } from './loopback.ts';
import type { PeerHandlers, PeerPort, RangeOffers } from './peer.ts';
import { AcceptedConnections } from './server/accepted-connections.ts';
import { PeerListener } from './server/peer-listener.ts';
import { PeerServer } from './server/peer-server.ts';
import { PeerTrust } from './trust/peer-trust.ts';

export interface PeerPortDeps {
  /** Port 0 takes any. */
  readonly listen: { readonly host: string; readonly port: number };
  /** This node's name in the mesh. */
  readonly nodeName: string;
  readonly identity: PeerIdentity;
  readonly offers: RangeOffers;
  readonly handlers: PeerHandlers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** A key that is due is noticed within this. */
const RENEWAL_CHECKED_EVERY_MS = 60_000;

/** @throws CodedError INVALID_ARGUMENT for a name, keyring or certificate that cannot be used */
export function createPeerPort(deps: PeerPortDeps, options: PeerPortOptions = {}): PeerPort {
  const parts = createParts(deps, { ...PEER_LIMITS, ...options.limits }, options);
  const { trust, events, listener, rangePool, callPool, connections } = parts;
  const ranges = parts.ranges;
  const calls = parts.calls;
  let stopping: AbortController | undefined;
  let upkeep: Promise<void> = Promise.resolve();
  return {
    async start() {
      if (stopping !== undefined) throw new CodedError('FAILED_PRECONDITION', 'Peer port runs already');
      await listener.listen(whereToListen(deps, events));
      const at = listener.address();
      if (at !== undefined) events.listening({ ...at, tls: trust.isSecure });
      for (const pool of [rangePool, callPool]) pool.start();
      stopping = new AbortController();
      upkeep = keepUp(parts, deps.clock, stopping.signal);
    },
    async stop() {
      stopping?.abort();
      stopping = undefined;
      await upkeep;
      for (const pool of [rangePool, callPool]) pool.stop();
      const closed = listener.close();
      connections.closeAll();
      await closed;
    },
    address: () => listener.address(),
    readRange: (peer, request, take, call) => ranges.readRange(peer, request, take, call),
    call: (peer, method, request, call) => calls.call(peer, method, request, call),
    setIdentity(identity) {
      const removed = changedTrust(trust, deps.identity.kind, identity);
      listener.renew({ endHandshakes: removed.size > 0 });
      const closed = [rangePool, callPool, connections].reduce((sum, part) => sum + part.closeThoseOf(removed), 0);
      events.identityChanged({ kind: identity.kind, removed: removed.size, closed });
    },
  };
}

/** @returns what is trusted no more */
function changedTrust(trust: PeerTrust, kind: PeerIdentity['kind'], identity: PeerIdentity): ReadonlySet<string> {
  if (identity.kind !== kind) {
    throw new CodedError(
      'FAILED_PRECONDITION',
      `Identity of the peer port is "${kind}" and cannot become "${identity.kind}"`,
    );
  }
  if (identity.kind === 'keyring') return trust.setKeyring(identity.keys);
  return identity.kind === 'files' ? trust.setFiles(identity) : new Set();
}

type Parts = ReturnType<typeof createParts>;

function createParts(deps: PeerPortDeps, limits: PeerLimits, options: PeerPortOptions) {
  const { clock, identity } = deps;
  const trust = new PeerTrust({ nodeName: deps.nodeName, identity, clock });
  const connectionCounts = () => ({ accepted: connections.size, outgoing: rangePool.size + callPool.size });
  const events = createPeerEvents({ log: deps.log, metrics: deps.metrics, clock, connections: connectionCounts });
  const connections = new AcceptedConnections(limits, events);
  const server = new PeerServer({
    ranges: { offers: deps.offers, clock, limit: bucketOf(options.uploadBytesPerSecond), onSent: events.sent },
    calls: {
      handlers: deps.handlers,
      clock,
      messageBytesMax: limits.messageBytesMax,
      deadlineMsMax: limits.callDeadlineMsMax,
    },
    connections,
    events,
    limits,
  });
  const listener = new PeerListener({
    trust,
    clock,
    events,
    limits,
    accept: (connection) => server.accept(connection),
  });
  const connect = {
    trust,
    clock,
    events,
    isLoopbackOnly: identity.kind === 'none',
    timeoutMs: limits.connectTimeoutMs,
  };
  const createPool = (usedMax: number, perPeerMax: number) =>
    new ConnectionPool(
      { connect: (peer, signal) => connectPeer(connect, peer, signal), clock, onDistrust: events.notTrusted },
      { ...limits, usedMax, perPeerMax },
    );
  // Ranges are long: calls must not wait behind them.
  const rangePool = createPool(limits.downloadsMax, limits.downloadsPerPeerMax);
  const callPool = createPool(limits.outgoingCallsMax, limits.outgoingCallsPerPeerMax);
  const ranges = new RangeClient(
    { pool: rangePool, clock, onReceived: events.received },
    { limit: bucketOf(options.downloadBytesPerSecond), sparesMax: SPARE_RINGS_MAX },
  );
  const calls = new CallClient({ pool: callPool, clock }, limits);
  return { trust, events, connections, listener, rangePool, callPool, ranges, calls, limits };
}

/** Buffers of 1 MiB kept for the next ranges. */
const SPARE_RINGS_MAX = 8;

function bucketOf(bytesPerSecond: number | undefined): TokenBucket | undefined {
  return bytesPerSecond === undefined ? undefined : new TokenBucket(bytesPerSecond);
}

function whereToListen(deps: PeerPortDeps, events: PeerEvents): { host: string; port: number } {
  const { identity, listen } = deps;
  if (identity.kind !== 'none' || isLoopback(listen.host)) return listen;
  events.loopbackOnly({ wanted: listen.host });
  return { host: '127.0.0.1', port: listen.port };
}

async function keepUp(parts: Parts, clock: Clock, signal: AbortSignal): Promise<void> {
  const { connections, rangePool, callPool, listener, events, limits } = parts;
  let renewedAtMs = clock.monotonicMs();
  while (!signal.aborted) {
    await clock.sleep(limits.sweepEveryMs, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      for (const part of [connections, rangePool, callPool]) part.sweep();
      if (clock.monotonicMs() - renewedAtMs < RENEWAL_CHECKED_EVERY_MS) continue;
      renewedAtMs = clock.monotonicMs();
      listener.renew({ endHandshakes: false });
    } catch (err) {
      events.failed({ what: 'upkeep', err });
    }
  }
}
