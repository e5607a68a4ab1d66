/** The pulls of a scenario, and everything that is counted meanwhile and looked at afterwards. */
import { REGISTRY_MACHINE } from './address-plan.ts';
import { pullAll } from './crowd.ts';
import type { FleetImage } from './fleet-image.ts';
import type { FleetNode } from './fleet-node.ts';
import { linkBytes } from './network.ts';
import type { NodeMeter } from './node-meter.ts';
import { checkDisk } from './on-disk.ts';
import type { NodeSeen } from './run-result.ts';
import type { Role, Scenario, Stage } from './scenarios/scenario.ts';
import { startWatch } from './watch.ts';

export interface Run {
  scenario: Scenario;
  stage: Stage;
  image: FleetImage;
  meter: NodeMeter;
  /** Bytes a second by node. */
  links: ReadonlyMap<string, number>;
  roles: ReadonlyMap<string, Role>;
  deadlineMs: number;
}

/** @throws what the scenario's turn at half-time threw */
export async function measureRun({ scenario, stage, image, meter, links, roles, deadlineMs }: Run) {
  const pulling = stage.nodes.filter(({ name }) => roles.get(name) !== 'liar');
  const watched = new Map<string, number>([['registry', stage.registry.pid()]]);
  for (const node of stage.nodes) watched.set(node.name, node.pid());
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
  const disks = await disksOf(stage.nodes, image);
  const nodes = stage.nodes.map(
    ({ name }): NodeSeen => ({
      name,
      role: roles.get(name) ?? 'member',
      pull: crowd.pulls.get(name),
      linkBytesPerSecond: links.get(name) ?? 0,
      ...(use.processes.get(name) ?? { cpuSeconds: 0, rssPeakBytes: 0 }),
      ...(counted.get(name) ?? { upstreamBytes: 0, peerBytesReceived: 0, peerBytesSent: 0, bans: 0 }),
      ...(disks.get(name) ?? { wrongBlobs: 0, bytesVerified: 0, lostBlobs: 0 }),
    }),
  );
  const registryCpuSeconds = use.processes.get('registry')?.cpuSeconds ?? 0;
  const { rssSumPeakBytes, idleShare, machineCpuSeconds } = use;
  return {
    seconds: crowd.seconds,
    registryBytes,
    registryCpuSeconds,
    rssSumPeakBytes,
    idleShare,
    machineCpuSeconds,
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
