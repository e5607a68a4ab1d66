/** The node: constructs every part, starts them in order, stops them in reverse. The only file here that reaches into every module. */
import { readFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { hostPlatform, parsePlatform } from '../core/oci/platform.ts';
import { parseReference } from '../core/oci/reference.ts';
import type { RegistryEndpoint } from '../core/registry/registry-client.ts';
import { createRegistryClient } from '../core/registry/http-registry-client.ts';
import type { Clock } from '../core/runtime/clock.ts';
import type { Environment } from '../core/runtime/config-reader.ts';
import { type Part, startAll } from '../core/runtime/lifecycle.ts';
import type { Logger } from '../core/runtime/log.ts';
import type { ScrapableMetrics } from '../core/runtime/metrics.ts';
import { createAdmin } from './admin/admin-server.ts';
import { type ArchiveParts, composeArchives } from './archive-parts.ts';
import type { NodeConfig } from './config.ts';
import { type NodeSecrets, readNodeSecrets } from './config/node-secrets.ts';
import { createContainerd } from './containerd/grpc-containerd.ts';
import { createClaimKeeper } from './content-api/claims/claim-keeper.ts';
import { createContentServer } from './content-api/server.ts';
import { createContent } from './content/create-content.ts';
import { createKnownBlobs } from './content/create-known-blobs.ts';
import { pullImage } from './content/image-pull.ts';
import { credentialSource } from './credential-source.ts';
import { composeFleet } from './fleet/fleet.ts';
import { memberFacts } from './member-facts.ts';
import { composeMirror } from './mirror-parts.ts';
import { nodeStatus } from './node-status.ts';
import { blobRows, pinRows } from './pinned-rows.ts';
import { registryEndpoints } from './registry-endpoints.ts';
import { composeSeeding } from './seed-parts.ts';
import type { SeedDesk } from './seed/seed.ts';
import { createDiskStore } from './store/disk-store.ts';
import { storeLimits } from './store-limits.ts';
import { createUpstream } from './upstream/create-upstream.ts';
import { createRegistryObserver } from './upstream/events.ts';
import type { UpstreamOptions } from './upstream/upstream.ts';

export interface NodeDeps {
  readonly version: string;
  readonly log: Logger;
  readonly metrics: ScrapableMetrics;
  readonly clock: Clock;
  /** Numbers from 0 to just below 1. */
  random(): number;
  /** The environment of credential helpers. */
  readonly env: Environment;
  /** The node stops when it aborts. */
  readonly signal: AbortSignal;
  /** Told once everything is open. */
  onReady?(): void;
  /** Takes the function that applies a configuration read again. */
  onReload?(apply: (config: NodeConfig) => Promise<void>): void;
}

/**
 * Runs a node until its signal aborts.
 * @throws what kept a part from starting (CodedError naming what was wrong), or from stopping cleanly (AggregateError)
 */
export async function runNode(config: NodeConfig, deps: NodeDeps): Promise<void> {
  const { parts, reload, opened } = await composeNode(config, deps);
  const stop = await startAll(parts, { signal: deps.signal });
  opened();
  deps.onReload?.(reload);
  deps.onReady?.();
  deps.log.info({ node: config.node.name, version: deps.version }, 'Node is ready');
  await aborted(deps.signal);
  await stop();
  deps.log.info({ node: config.node.name }, 'Node has stopped');
}

interface ComposedNode {
  /** In the order in which they start. */
  readonly parts: readonly Part[];
  /** Applies what can change while running. */
  reload(config: NodeConfig): Promise<void>;
  /** Told when every part runs: readiness says yes from then on. */
  opened(): void;
}

async function composeNode(config: NodeConfig, deps: NodeDeps): Promise<ComposedNode> {
  const secrets = await readNodeSecrets(config, readText);
  const sources = await composeSources(config, secrets, deps);
  const { fleet } = sources;
  const edges = composeEdges(config, sources, deps);
  const seeding = composeSeeding(config, { ...deps, ...sources, ...edges });
  const mirror = composeMirror(config, { ...deps, ...sources, ...edges });
  const archiving = composeArchives({ ...deps, ...sources, ...edges, tags: mirror.tags });
  const admin = composeAdmin({ config, secrets, sources, edges, seeding: seeding.desk, archiving }, deps);
  const parts: (Part | undefined)[] = [
    { name: 'admin', service: admin.service },
    { name: 'store', service: sources.store },
    { name: 'registry connections', service: sources.registries },
    { name: 'upstream', service: sources.upstream },
    ...(fleet?.parts ?? []),
    edges.containerd && { name: 'containerd', service: edges.containerd },
    { name: 'content', service: edges.content },
    { name: 'claims', service: edges.claims },
    ...seeding.parts,
    edges.contentServer && { name: 'content-api', service: edges.contentServer },
    ...mirror.parts,
  ];
  return {
    parts: parts.filter((part) => part !== undefined),
    opened: admin.opened,
    reload: async (changed) => {
      const changedSecrets = await readNodeSecrets(changed, readText);
      const endpoints = await registryEndpoints(changed, changedSecrets, readText);
      sources.upstream.configure(upstreamOptions(changed, endpoints));
      mirror.configure(changed);
      await fleet?.setSecrets(changedSecrets);
    },
  };
}

async function composeSources(config: NodeConfig, secrets: NodeSecrets, deps: NodeDeps) {
  const { clock, metrics, random } = deps;
  const limits = await storeLimits(config);
  const store = createDiskStore({
    root: config.content.root,
    limits,
    clock,
    metrics,
    log: deps.log.child({ module: 'store' }),
  });
  const log = deps.log.child({ module: 'upstream' });
  const credentials = await credentialSource(config, { env: deps.env, clock, log });
  const observer = createRegistryObserver({ log, metrics });
  const client = createRegistryClient({ credentials, clock, random }, { observer });
  const endpoints = await registryEndpoints(config, secrets, readText);
  const upstream = createUpstream({ client, credentials, clock, log }, upstreamOptions(config, endpoints));
  const fleet = config.mesh.enabled
    ? await composeFleet({ ...deps, config, secrets, store, origin: upstream })
    : undefined;
  return {
    store,
    upstream,
    fleet,
    limits,
    registries: { start: async () => undefined, stop: async () => client.close() },
  };
}

function upstreamOptions({ upstream }: NodeConfig, endpoints: readonly RegistryEndpoint[]): UpstreamOptions {
  const { allow, concurrency, bandwidthBytesPerSecond } = upstream;
  return { endpoints, allow, concurrency, ...(bandwidthBytesPerSecond !== undefined && { bandwidthBytesPerSecond }) };
}

type Sources = Awaited<ReturnType<typeof composeSources>>;

function composeEdges({ content: options }: NodeConfig, { store, upstream, fleet }: Sources, deps: NodeDeps) {
  const of = (module: string) => ({ clock: deps.clock, metrics: deps.metrics, log: deps.log.child({ module }) });
  const giveUpMs = options.claimGiveUpMs;
  const known = createKnownBlobs();
  const content = createContent(
    { store, sources: fleet ? [fleet.swarm, upstream] : [upstream], ...of('content') },
    { giveUpMs },
  );
  const containerd =
    options.containerd === undefined
      ? undefined
      : createContainerd({ socket: options.containerd, ...of('containerd') });
  const claims = createClaimKeeper(
    {
      claimStore: store,
      store,
      content,
      known,
      ...(containerd && { containerd }),
      ...(fleet && { crowd: fleet.swarm }),
      ...of('claims'),
    },
    { mode: options.claim, giveUpMs },
  );
  const contentServer =
    options.socket === undefined
      ? undefined
      : createContentServer(
          { store, content, claims, ...of('content-api') },
          { socket: options.socket, transport: options.transport },
        );
  return { known, content, containerd, claims, contentServer };
}

interface AdminFacts {
  config: NodeConfig;
  secrets: NodeSecrets;
  sources: Sources;
  edges: ReturnType<typeof composeEdges>;
  seeding: SeedDesk;
  archiving: ArchiveParts;
}

function composeAdmin({ config, secrets, sources, edges, seeding, archiving }: AdminFacts, deps: NodeDeps) {
  const { store, fleet, limits } = sources;
  const { known, content, claims } = edges;
  const facts = { config, version: deps.version, startedAtMs: deps.clock.now(), capacityBytes: limits.capacityBytes };
  const own = memberFacts({ ...deps, ...facts, root: config.content.root, store, content, fleet });
  fleet?.survey.speakAs(own);
  const pullDeps = { store, content, known, manifests: archiving.manifests, clock: deps.clock };
  let isOpen = false;
  const service = createAdmin(
    {
      log: deps.log.child({ module: 'admin' }),
      metrics: deps.metrics,
      status: () => nodeStatus({ ...facts, ...edges, store, fleet }),
      readiness: () => (isOpen ? { ready: true } : { ready: false, reason: 'The node is starting' }),
      seeding,
      archives: archiving.archives,
      blobs: () => blobRows(store),
      pins: () => pinRows(store),
      claims: () => claims.claims(),
      flights: () => content.flights(),
      members: () => fleet?.members() ?? [],
      swarms: () => fleet?.swarms() ?? [],
      sourcesOf: (digest) => known.sources(digest),
      ownFacts: own,
      survey: fleet?.survey,
      clock: deps.clock,
      pull: (ref, platform, { signal }) => {
        const wanted = platform === undefined ? hostPlatform(arch()) : parsePlatform(platform);
        return pullImage(pullDeps, parseReference(ref), { signal, platform: wanted });
      },
    },
    {
      listen: config.admin.listen,
      names: [config.node.name],
      ...(secrets.adminToken && { token: secrets.adminToken.reveal() }),
    },
  );
  return {
    service,
    opened: () => {
      isOpen = true;
    },
  };
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
