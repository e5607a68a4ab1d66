/** One run as it is printed, made of what was seen. Pure. */
import { IDLE_SHARE_MIN, judge, type Shares, type Verdict } from './goals.ts';
import type { ScenarioName } from './options.ts';
import type { Role } from './scenarios/scenario.ts';
import { least, median, rounded, shareOfLink, sum } from './statistics.ts';

/** One node at the end of a run. */
export interface NodeSeen {
  readonly name: string;
  readonly role: Role;
  /** Of its pull; undefined when it pulled nothing. */
  readonly pull: { readonly seconds: number; readonly failure: string | undefined } | undefined;
  readonly linkBytesPerSecond: number;
  readonly cpuSeconds: number;
  readonly rssPeakBytes: number;
  readonly upstreamBytes: number;
  readonly peerBytesReceived: number;
  readonly peerBytesSent: number;
  readonly bans: number;
  readonly wrongBlobs: number;
  readonly bytesVerified: number;
  /** Blobs that it lacks although another member holds them. */
  readonly lostBlobs: number;
}

export interface RunSeen {
  readonly scenario: ScenarioName;
  readonly round: number;
  readonly imageBytes: number;
  readonly layers: number;
  /** From the first pull's start to the last one's end. */
  readonly seconds: number;
  /** What left the registry's link. */
  readonly registryBytes: number;
  readonly registryCpuSeconds: number;
  readonly rssSumPeakBytes: number;
  readonly idleShare: number;
  /** Of everything on the machine, the kernel's share of the traffic and strangers included. */
  readonly machineCpuSeconds: number;
  /** How many members each node knew at the start; undefined when nodes have no mesh. */
  readonly membersKnown: number | undefined;
  readonly nodes: readonly NodeSeen[];
}

const MIB = 2 ** 20;

export type RunResult = ReturnType<typeof runResult>;

export function runResult(seen: RunSeen) {
  const { nodes, imageBytes, scenario } = seen;
  const isSpeedAsked = scenario !== 'registry-stopped';
  const share = isSpeedAsked ? sharesOf(nodes, 'member', imageBytes) : undefined;
  const failed = nodes.filter(({ role, pull }) => role !== 'killed' && pull?.failure !== undefined);
  // Where the registry goes away, what nobody has may fail.
  const isExcused = ({ lostBlobs }: NodeSeen) => scenario === 'registry-stopped' && lostBlobs === 0;
  const failures = failed.filter((node) => !isExcused(node));
  const honest = nodes.filter(({ role }) => role !== 'liar');
  const wrongBlobs = sum(honest.map((node) => node.wrongBlobs));
  const upstreamCopies = {
    byLink: rounded(seen.registryBytes / imageBytes),
    byNodes: rounded(sum(nodes.map(({ upstreamBytes }) => upstreamBytes)) / imageBytes),
  };
  const copies = Math.max(upstreamCopies.byLink, upstreamCopies.byNodes);
  const goals: Verdict = judge({ scenario, share, upstreamCopies: copies, failures: failures.length, wrongBlobs });
  return {
    scenario,
    round: seen.round,
    nodes: nodes.length,
    imageBytes,
    layers: seen.layers,
    seconds: rounded(seen.seconds),
    share: share ?? null,
    stragglers: sharesOf(nodes, 'straggler', imageBytes) ?? null,
    upstreamCopies,
    failures: failures.map(({ name, pull }) => ({ name, failure: pull?.failure })),
    excusedFailures: failed.length - failures.length,
    wrongBlobs,
    bytesVerified: sum(honest.map(({ bytesVerified }) => bytesVerified)),
    cpuSeconds: {
      nodes: rounded(sum(nodes.map(({ cpuSeconds }) => cpuSeconds))),
      registry: rounded(seen.registryCpuSeconds),
      machine: rounded(seen.machineCpuSeconds),
    },
    memoryMiB: {
      worstNode: Math.round(Math.max(...nodes.map(({ rssPeakBytes }) => rssPeakBytes)) / MIB),
      allNodes: Math.round(seen.rssSumPeakBytes / MIB),
    },
    bans: sum(nodes.map(({ bans }) => bans)),
    idleShare: rounded(seen.idleShare),
    machineBound: seen.idleShare < IDLE_SHARE_MIN,
    membersKnown: seen.membersKnown ?? null,
    goals,
    perNode: nodes.map((node) => nodeRow(node, imageBytes)),
  };
}

/** A pull that failed reached nothing. */
function sharesOf(nodes: readonly NodeSeen[], role: Role, imageBytes: number): Shares | undefined {
  const shares = nodes.filter((node) => node.role === role).flatMap((node) => shareOf(node, imageBytes) ?? []);
  const [middle, worst] = [median(shares), least(shares)];
  return middle === undefined || worst === undefined ? undefined : { median: rounded(middle), worst: rounded(worst) };
}

function shareOf({ pull, linkBytesPerSecond }: NodeSeen, imageBytes: number): number | undefined {
  if (pull === undefined) return undefined;
  return pull.failure === undefined ? shareOfLink(imageBytes, pull.seconds, linkBytesPerSecond) : 0;
}

function nodeRow(node: NodeSeen, imageBytes: number) {
  const share = shareOf(node, imageBytes);
  return {
    name: node.name,
    role: node.role,
    seconds: node.pull === undefined ? null : rounded(node.pull.seconds),
    share: share === undefined ? null : rounded(share),
    cpuSeconds: rounded(node.cpuSeconds),
    rssPeakMiB: Math.round(node.rssPeakBytes / MIB),
    upstreamBytes: node.upstreamBytes,
    peerBytesReceived: node.peerBytesReceived,
    peerBytesSent: node.peerBytesSent,
    ...(node.pull?.failure === undefined ? {} : { failure: node.pull.failure }),
  };
}
