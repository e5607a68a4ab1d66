/** One scenario from an idle network to a result. */
import { join } from 'node:path';
import { type Machine, REGISTRY_MACHINE } from './address-plan.ts';
import { pullAll } from './crowd.ts';
import { type FleetImage, pushFleetImage } from './fleet-image.ts';
import type { FleetNode } from './fleet-node.ts';
import type { FleetRegistry } from './fleet-registry.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { linkBytes, shapeLink } from './network.ts';
import { type NodeMeter, createNodeMeter } from './node-meter.ts';
import { checkDisk } from './on-disk.ts';
import type { FleetOptions } from './options.ts';
import { pull } from './pull.ts';
import { type NodeSeen, type RunResult, runResult } from './run-result.ts';
import type { Role, Scenario, Stage } from './scenarios/scenario.ts';
import { startWatch } from './watch.ts';

export interface Ground {
  readonly options: FleetOptions;
  readonly machines: readonly Machine[];
  readonly registry: FleetRegistry;
  /** Nodes keep their files below it. */
  readonly directory: string;
  say(text: string): void;
}

/** What a node waits for a source when nothing else is said. */
const GIVE_UP = '60s';
const STRAGGLER_SLOWDOWN = 10;
/** On top of what the bytes may take. */
const DEADLINE_SPARE_MS = 60_000;

/** @throws Error when the run could not be made, with a node's log where one did not start */
export async function runScenario(ground: Ground, scenario: Scenario, round: number): Promise<RunResult> {
  const { options, machines, registry, say } = ground;
  await registry.start();
  const links = linksOf(ground, scenario);
  await shapeLink(REGISTRY_MACHINE, options.upstreamBytesPerSecond);
  for (const machine of machines) await shapeLink(machine, links.get(machine.name) ?? options.linkBytesPerSecond);
  const imageSettings = {
    repository: `fleet/${scenario.name}`,
    seed: `${options.seed} ${scenario.name} ${round}`,
    layerBytes: Math.ceil(options.blobBytes / scenario.layers),
  };
  const image = await pushFleetImage(registry, { ...imageSettings, tag: `r${round}`, layers: scenario.layers });
  say(`${scenario.name}: ${machines.length} nodes start`);
  await using fleet = await startFleet({
    machines,
    directory: join(ground.directory, 'nodes'),
    preset: options.preset,
    giveUp: scenario.giveUp ?? GIVE_UP,
  });
  const membersKnown = await fleet.untilMeshed();
  say(`${scenario.name}: every node knows ${membersKnown ?? 'no'} members; pulls begin`);
  const roles = new Map<string, Role>();
  for (const [name, rate] of links) roles.set(name, rate < options.linkBytesPerSecond ? 'straggler' : 'member');
  const meter = createNodeMeter(fleet.nodes);
  const deadlineMs = deadlineOf(ground, image, Math.min(...links.values()));
  const stage: Stage = {
    ...{ nodes: fleet.nodes, registry, layers: image.layers, ref: image.ref },
    pushFirstLayers: async (layers) => (await pushFleetImage(registry, { ...imageSettings, tag: 'first', layers })).ref,
    async bring(node, ref) {
      const { failure } = await pull(node, ref, { deadlineMs, onProgress: () => undefined });
      if (failure !== undefined) throw new Error(`Preparing ${node.name} failed: ${failure}`);
    },
    untilMeshed: async () => void (await fleet.untilMeshed()),
    async kill(node) {
      await meter.keep(node);
      await node.kill();
      say(`${scenario.name}: ${node.name} is killed`);
    },
    cast: (node, role) => roles.set(node.name, role),
  };
  try {
    await scenario.prepare?.(stage);
    const seen = await measure({ scenario, stage, image, meter, fleet, roles, deadlineMs });
    const nodes = seen.nodes.map((node) => ({ ...node, linkBytesPerSecond: links.get(node.name) ?? 0 }));
    const facts = { scenario: scenario.name, round, imageBytes: image.bytes, layers: scenario.layers, membersKnown };
    return runResult({ ...seen, ...facts, nodes });
  } finally {
    if (options.logs !== undefined) await fleet.saveLogs(join(options.logs, `${scenario.name}-${round}`));
  }
}

/** Bytes a second by node. */
function linksOf({ machines, options }: Ground, scenario: Scenario): Map<string, number> {
  const fast = machines.length - (scenario.stragglers?.(machines.length) ?? 0);
  const { linkBytesPerSecond: rate } = options;
  return new Map(machines.map(({ name }, index) => [name, index < fast ? rate : rate / STRAGGLER_SLOWDOWN]));
}

/** Enough for a copy for each node from the registry, so that a fleet that does not work as one is measured as well. */
function deadlineOf({ machines, options }: Ground, { bytes }: FleetImage, slowest: number): number {
  const seconds = (machines.length * bytes) / options.upstreamBytesPerSecond + (3 * bytes) / slowest;
  return DEADLINE_SPARE_MS + 1000 * 1.5 * seconds;
}

interface Run {
  scenario: Scenario;
  stage: Stage;
  image: FleetImage;
  meter: NodeMeter;
  fleet: Fleet;
  roles: ReadonlyMap<string, Role>;
  deadlineMs: number;
}

async function measure({ scenario, stage, image, meter, fleet, roles, deadlineMs }: Run) {
  const pulling = fleet.nodes.filter(({ name }) => roles.get(name) !== 'liar');
  const watched = new Map<string, number>([['registry', stage.registry.pid()]]);
  for (const node of fleet.nodes) watched.set(node.name, node.pid());
  await meter.begin();
  const before = await linkBytes(REGISTRY_MACHINE);
  const watch = await startWatch(() => watched);
  const crowd = await pullAll({
    ...{ nodes: pulling, ref: image.ref, imageBytes: image.bytes, deadlineMs },
    startsAfterMs: (index) => scenario.startsAfterMs?.(index, pulling.length) ?? 0,
    atHalf: async () => scenario.atHalf?.(stage),
  });
  const use = await watch.end();
  const registryBytes = (await linkBytes(REGISTRY_MACHINE)).sent - before.sent;
  const counted = await meter.read();
  const disks = await disksOf(fleet.nodes, image);
  const nodes = fleet.nodes.map(
    ({ name }): Omit<NodeSeen, 'linkBytesPerSecond'> => ({
      name,
      role: roles.get(name) ?? 'member',
      pull: crowd.pulls.get(name),
      ...(use.processes.get(name) ?? { cpuSeconds: 0, rssPeakBytes: 0 }),
      ...(counted.get(name) ?? { upstreamBytes: 0, peerBytesReceived: 0, peerBytesSent: 0, bans: 0 }),
      ...(disks.get(name) ?? { wrongBlobs: 0, bytesVerified: 0, lostBlobs: 0 }),
    }),
  );
  const registryCpuSeconds = use.processes.get('registry')?.cpuSeconds ?? 0;
  const { rssSumPeakBytes, idleShare } = use;
  return {
    seconds: crowd.seconds,
    registryBytes,
    registryCpuSeconds,
    rssSumPeakBytes,
    idleShare,
    nodes,
  };
}

async function disksOf(nodes: readonly FleetNode[], image: FleetImage) {
  const checks = new Map<string, Awaited<ReturnType<typeof checkDisk>>>();
  for (const { name, contentRoot } of nodes) checks.set(name, await checkDisk(contentRoot, image.digests));
  const somewhere = new Set([...checks.values()].flatMap(({ whole }) => whole));
  return new Map(
    [...checks].map(([name, { whole, wrong, bytesVerified }]) => {
      const lostBlobs = [...somewhere].filter((digest) => !whole.includes(digest)).length;
      return [name, { wrongBlobs: wrong.length, bytesVerified, lostBlobs }] as const;
    }),
  );
}
