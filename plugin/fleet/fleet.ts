/**
 * The node among others, put together: mesh (who is alive), peer port, providers (who has what) and swarm. Reaches into each of
 * them, as a composition root does.
 */
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Part, Service } from '../../core/runtime/lifecycle.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { NodeConfig } from '../config.ts';
import type { NodeSecrets } from '../config/node-secrets.ts';
import { createMesh } from '../mesh/create-mesh.ts';
import { type Member, type MeshTroubles, tagsOfNode } from '../mesh/mesh.ts';
import { Keyring } from '../mesh/wire/keyring.ts';
import { createPeerPort } from '../peer/create-peer-port.ts';
import type { PeerIdentity } from '../peer/identity.ts';
import type { PeerCalls, PeerHandlers } from '../peer/peer.ts';
import { createProviders } from '../providers/create-providers.ts';
import type { LiveMembers, PeerService } from '../providers/providers.ts';
import type { BlobReader } from '../store/blob-store.ts';
import type { StoreWatch } from '../store/store-watch.ts';
import { createSurvey } from '../survey/create-survey.ts';
import type { Survey } from '../survey/survey.ts';
import { createSwarm } from '../swarm/create-swarm.ts';
import type { Origin, Swarm, SwarmStatus } from '../swarm/swarm.ts';
import { followMembers } from './live-members.ts';
import { localPieces } from './local-pieces.ts';

/** Saying goodbye may take so long; those who did not hear it notice by themselves. */
const LEAVE_MS = 3_000;

export interface FleetDeps {
  readonly config: NodeConfig;
  readonly secrets: NodeSecrets;
  readonly version: string;
  readonly store: Pick<BlobReader, 'stat' | 'open' | 'list'> & StoreWatch;
  readonly origin: Origin;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Fleet {
  readonly swarm: Swarm;
  readonly survey: Survey;
  /** In the order in which they start. */
  readonly parts: readonly Part[];
  readonly hasKey: boolean;
  members(): readonly Member[];
  swarms(): Iterable<SwarmStatus>;
  banned(): readonly string[];
  /** What keeps others away. */
  troubles(): MeshTroubles;
  /** Those alive that speak our protocols, this one included. */
  readonly live: LiveMembers;
  /** Called when `live` has become another list. A listener must not throw. */
  onLiveChange(listener: () => void): void;
  readonly calls: PeerCalls;
  /** Whether mutual TLS seals the peer port. */
  readonly isPeerSealed: boolean;
  /** Answers the calls of another room as well; to be told before the start. */
  answer(service: PeerService): void;
  /** Where the peer port listens; undefined while it does not. */
  peerAddress(): { readonly host: string; readonly port: number } | undefined;
  /** Takes keys and certificates anew. @throws CodedError naming what cannot be used */
  setSecrets(secrets: NodeSecrets): Promise<void>;
}

/** @throws CodedError for keys and certificates that cannot be used */
export async function composeFleet(deps: FleetDeps): Promise<Fleet> {
  const { config, secrets, clock, random, metrics, store } = deps;
  const self = config.node.name;
  const of = (module: string) => ({ clock, metrics, log: deps.log.child({ module }) });
  const keyring = secrets.meshKeys.length > 0 ? new Keyring(secrets.meshKeys) : undefined;
  const mesh = createMesh(of('mesh'), { ...meshOptions(config), keyring, tags: tagsOf(deps, config.peer.listen.port) });
  const handlers: Map<string, Handler> = new Map();
  const identity = await identityOf(config, secrets);
  const listeners: (() => void)[] = [];
  const port = createPeerPort(
    {
      listen: config.peer.listen,
      nodeName: self,
      identity,
      offers: { openRange: (peer, request, call) => swarm.openRange(peer, request, call) },
      handlers,
      ...of('peer'),
    },
    limitsOf(config),
  );
  const following = followMembers({
    mesh,
    sleep: (ms) => clock.sleep(ms),
    onChange: () => {
      providers.membersChanged();
      swarm.membersChanged();
      for (const listener of listeners) listener();
    },
  });
  const shared = { self, members: following.members, calls: port, random };
  const providers = createProviders({ ...shared, ...of('providers') });
  const swarm = createSwarm(
    { ...shared, ranges: port, providers, local: localPieces(store), origin: deps.origin, ...of('swarm') },
    { mode: config.peer.mode },
  );
  const survey = createSurvey({ ...shared, ping: (name) => mesh.ping(name), clock });
  for (const service of [providers, swarm, survey]) answer(handlers, service);
  const meshPart: Service = {
    async start(options) {
      const at = port.address();
      if (at !== undefined) mesh.setTags(tagsOf(deps, at.port));
      await mesh.start(options);
    },
    async stop() {
      await Promise.race([mesh.leave(), clock.sleep(LEAVE_MS)]);
      following.stop();
      await mesh.stop();
    },
  };
  return {
    swarm,
    survey,
    parts: [
      { name: 'peer port', service: port },
      { name: 'mesh', service: meshPart },
      { name: 'providers', service: providers },
      { name: 'swarm', service: swarm },
      { name: 'survey', service: survey },
      { name: 'announcements', service: announcements(store, swarm) },
    ],
    hasKey: keyring !== undefined,
    members: () => mesh.members(),
    swarms: () => swarm.swarms(),
    banned: () => swarm.banned(),
    troubles: () => mesh.troubles(),
    live: following.members,
    onLiveChange: (listener) => void listeners.push(listener),
    calls: port,
    isPeerSealed: identity.kind === 'keyring' || identity.kind === 'files',
    answer: (service) => answer(handlers, service),
    peerAddress: () => port.address(),
    setSecrets: async (changed) => {
      if (keyring !== undefined) keyring.replace(changed.meshKeys);
      port.setIdentity(await identityOf(config, changed));
    },
  };
}

type Handler = PeerHandlers extends ReadonlyMap<string, infer H> ? H : never;

function answer(handlers: Map<string, Handler>, service: PeerService): void {
  for (const { method, handler } of service.handlers) handlers.set(method.path, { method, handle: handler });
}

function tagsOf({ config, version }: FleetDeps, peerPort: number) {
  return tagsOfNode({ zone: config.node.zone, mode: config.peer.mode, version, peerPort });
}

function meshOptions({ node, mesh }: NodeConfig) {
  const { bind, advertise, join, preset, insecure } = mesh;
  return { name: node.name, bind, advertise, join, preset, isInsecure: insecure };
}

function limitsOf({ peer }: NodeConfig) {
  const { uploadLimitBytesPerSecond: up, downloadLimitBytesPerSecond: down } = peer;
  return {
    ...(up !== undefined && { uploadBytesPerSecond: up }),
    ...(down !== undefined && { downloadBytesPerSecond: down }),
  };
}

/** The operator's own certificates, else the mesh key's, else none. */
async function identityOf({ peer, mesh }: NodeConfig, { meshKeys }: NodeSecrets): Promise<PeerIdentity> {
  const { certFile, keyFile, caFile } = peer.tls;
  if (certFile !== undefined && keyFile !== undefined && caFile !== undefined) {
    const [cert, key, ca] = await Promise.all([certFile, keyFile, caFile].map((file) => readFile(file, 'utf8')));
    return { kind: 'files', cert: cert ?? '', key: key ?? '', ca: ca ?? '' };
  }
  if (meshKeys.length > 0) return { kind: 'keyring', keys: meshKeys };
  return { kind: mesh.insecure ? 'insecure' : 'none' };
}

/** Tells the fleet what comes to and goes from this disk, what was there at the start first. */
function announcements(store: FleetDeps['store'], swarm: Swarm): Service {
  let stop: (() => void) | undefined;
  return {
    async start() {
      stop = store.onChange((digest) => {
        const arriving = store.arriving(digest);
        if (store.stat(digest) !== undefined) swarm.arrived(digest);
        else if (arriving !== undefined) swarm.arriving(digest, arriving.state);
        else swarm.gone(digest);
      });
      for (const { digest } of store.list()) swarm.arrived(digest);
    },
    async stop() {
      stop?.();
    },
  };
}
