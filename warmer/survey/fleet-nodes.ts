/** The nodes of a plan: members of the mesh, with what a cluster says of those that are its nodes. Pure. */
import type { Platform } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { formatPlatform } from '../../core/oci/platform.ts';
import type { PlanNode } from '../plan/plan-input.ts';
import type { FleetMember } from '../seed/fleet.ts';
import type { ClusterNode } from './cluster-node.ts';

const HOST_NAME = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';
/** Where nobody of the fleet says what it runs on. */
const USUAL_PLATFORM: Platform = { os: 'linux', architecture: 'amd64' };

export interface KnownFleet {
  readonly members: readonly FleetMember[];
  readonly clusterNodes: readonly ClusterNode[];
}

/**
 * Members that keep nothing are left out. One that did not answer is planned for as the cluster describes it, else as most of the
 * others are: what it lacks is found out by trying.
 */
export function fleetNodes({ members, clusterNodes }: KnownFleet): PlanNode[] {
  const byName = new Map(
    clusterNodes.flatMap((node) => [
      [node.labels[HOST_NAME] ?? node.name, node],
      [node.name, node],
    ]),
  );
  const keeping = members.filter(({ mode }) => mode !== 'observer');
  const usual = usualPlatform(keeping);
  return keeping.map((member) => planNode(member, byName.get(member.name), usual));
}

/** A cluster's nodes when the fleet cannot be asked: all that is known before the first byte moves. */
export function nodesOfCluster(clusterNodes: readonly ClusterNode[]): PlanNode[] {
  return clusterNodes.map((node) => ({
    name: node.name,
    zone: node.labels[ZONE] ?? '',
    labels: withHostName(node.labels, node.name),
    taints: node.taints,
    platform: node.platform ?? USUAL_PLATFORM,
    freeBytes: undefined,
    holds: [],
  }));
}

/** The same nodes with the blobs that each was found to have. */
export function holding(nodes: readonly PlanNode[], held: ReadonlyMap<string, Iterable<Digest>>): PlanNode[] {
  return nodes.map((node) => ({ ...node, holds: held.get(node.name) ?? [] }));
}

function planNode(member: FleetMember, cluster: ClusterNode | undefined, usual: Platform): PlanNode {
  const platform = member.platform ?? cluster?.platform ?? usual;
  const labels = {
    'kubernetes.io/os': platform.os,
    'kubernetes.io/arch': platform.architecture,
    ...(member.zone !== '' && { [ZONE]: member.zone }),
    ...member.labels,
    ...cluster?.labels,
  };
  return {
    name: member.name,
    zone: cluster?.labels[ZONE] ?? member.zone,
    labels: withHostName(labels, member.name),
    taints: cluster?.taints ?? [],
    platform,
    freeBytes: member.roomBytes,
    holds: [],
  };
}

function withHostName(labels: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return { [HOST_NAME]: name, ...labels };
}

function usualPlatform(members: readonly FleetMember[]): Platform {
  const groups = Map.groupBy(
    members.flatMap(({ platform }) => platform ?? []),
    formatPlatform,
  );
  const [largest] = [...groups.values()].sort((a, b) => b.length - a.length);
  return largest?.[0] ?? USUAL_PLATFORM;
}
