/** One scenario from an idle network to a result. */
import { join } from 'node:path';
import { type Machine, REGISTRY_MACHINE } from './address-plan.ts';
import { type FleetImage, pushFleetImage } from './fleet-image.ts';
import type { FleetRegistry } from './fleet-registry.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { measureRun } from './measure-run.ts';
import { shapeLink } from './network.ts';
import { type NodeMeter, createNodeMeter } from './node-meter.ts';
import type { FleetOptions } from './options.ts';
import { pull } from './pull.ts';
import { type RunResult, runResult } from './run-result.ts';
import type { Role, Scenario, Stage } from './scenarios/scenario.ts';

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
    logLevel: options.logLevel,
    nodeFlags: options.nodeFlags,
  });
  const membersKnown = await fleet.untilMeshed();
  await warmUp(ground, fleet, { seed: `${scenario.name}-${round}`, slowest: Math.min(...links.values()) });
  say(`${scenario.name}: every node knows ${membersKnown ?? 'no'} members; pulls begin`);
  const roles = new Map<string, Role>();
  for (const [name, rate] of links) roles.set(name, rate < options.linkBytesPerSecond ? 'straggler' : 'member');
  const meter = createNodeMeter(fleet.nodes);
  const deadlineMs = deadlineOf(ground, image, Math.min(...links.values()));
  const pushFirst = (layers: number) => pushFleetImage(registry, { ...imageSettings, tag: 'first', layers });
  const stage = stageOf({ ground, scenario, fleet, image, meter, roles, deadlineMs, pushFirst });
  try {
    await scenario.prepare?.(stage);
    const seen = await measureRun({ scenario, stage, image, meter, links, roles, deadlineMs });
    const facts = { scenario: scenario.name, round, imageBytes: image.bytes, layers: scenario.layers, membersKnown };
    return runResult({ ...seen, ...facts });
  } finally {
    if (options.logs !== undefined) await fleet.saveLogs(join(options.logs, `${scenario.name}-${round}`));
  }
}

/** One image for every node: fresh processes spend much on compiling their code. */
async function warmUp(
  { options, registry }: Ground,
  fleet: Fleet,
  { seed, slowest }: { seed: string; slowest: number },
): Promise<void> {
  if (options.warmBytes === 0) return;
  const deadlineMs = DEADLINE_SPARE_MS + (3000 * options.warmBytes) / slowest;
  const settings = { repository: 'fleet/warm', tag: 'w', seed: `${options.seed} warm ${seed}`, layers: 1 };
  const { ref } = await pushFleetImage(registry, { ...settings, layerBytes: options.warmBytes });
  const ends = await Promise.all(
    fleet.nodes.map((node) => pull(node, ref, { deadlineMs, onProgress: () => undefined })),
  );
  const failure = ends.find((end) => end.failure !== undefined)?.failure;
  if (failure !== undefined) throw new Error(`Warming up failed: ${failure}`);
}

interface StageFacts {
  ground: Ground;
  scenario: Scenario;
  fleet: Fleet;
  image: FleetImage;
  meter: NodeMeter;
  roles: Map<string, Role>;
  deadlineMs: number;
  pushFirst(layers: number): Promise<FleetImage>;
}

function stageOf({ ground, scenario, fleet, image, meter, roles, deadlineMs, pushFirst }: StageFacts): Stage {
  return {
    ...{ nodes: fleet.nodes, registry: ground.registry, layers: image.layers, ref: image.ref },
    pushFirstLayers: async (layers) => (await pushFirst(layers)).ref,
    async bring(node, ref) {
      const { failure } = await pull(node, ref, { deadlineMs, onProgress: () => undefined });
      if (failure !== undefined) throw new Error(`Preparing ${node.name} failed: ${failure}`);
    },
    untilMeshed: async () => void (await fleet.untilMeshed()),
    async kill(node) {
      await meter.keep(node);
      await node.kill();
      ground.say(`${scenario.name}: ${node.name} is killed`);
    },
    cast: (node, role) => roles.set(node.name, role),
  };
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
