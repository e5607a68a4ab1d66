import { describe, expect, it } from '@jest/globals';
import type { FleetMember } from '../seed/fleet.ts';
import type { SourceDocument } from '../sources/documents.ts';
import { clusterNodeOf } from './cluster-node.ts';
import { fleetNodes } from './fleet-nodes.ts';

function member(name: string, more: Partial<FleetMember> = {}): FleetMember {
  const platform = { os: 'linux', architecture: 'arm64' };
  return { name, zone: 'z1', mode: 'full', isReached: true, platform, labels: {}, roomBytes: 5, ...more };
}

function nodeDocument(value: object): SourceDocument {
  return { file: 'n.yaml', document: 1, lineOf: () => 1, value: { apiVersion: 'v1', kind: 'Node', ...value } };
}

const cordoned = clusterNodeOf(
  nodeDocument({
    metadata: { name: 'ip-10-0-0-1', labels: { pool: 'gpu', 'kubernetes.io/hostname': 'gpu-1' } },
    spec: { unschedulable: true, taints: [{ key: 'gpu', effect: 'NoSchedule' }] },
    status: { nodeInfo: { operatingSystem: 'linux', architecture: 'amd64' } },
  }),
);

describe('fleetNodes()', () => {
  it('joins members with what a cluster says of them, by name or host name', () => {
    const [node] = fleetNodes({ members: [member('gpu-1')], clusterNodes: cordoned === undefined ? [] : [cordoned] });
    expect(node).toMatchObject({ name: 'gpu-1', zone: 'z1', freeBytes: 5, platform: { architecture: 'arm64' } });
    expect(node?.labels).toMatchObject({
      pool: 'gpu',
      'topology.kubernetes.io/zone': 'z1',
      'kubernetes.io/arch': 'arm64',
    });
    expect(node?.taints.map(({ key }) => key)).toEqual(['gpu', 'node.kubernetes.io/unschedulable']);
  });

  it('leaves observers out, and takes silent members for what most are', () => {
    const silent = member('s', { isReached: false, platform: undefined, roomBytes: undefined });
    const nodes = fleetNodes({ members: [member('a'), silent, member('o', { mode: 'observer' })], clusterNodes: [] });
    expect(nodes.map(({ name, platform }) => [name, platform.architecture])).toEqual([
      ['a', 'arm64'],
      ['s', 'arm64'],
    ]);
  });
});

describe('clusterNodeOf()', () => {
  it.each([{ kind: 'Pod' }, { apiVersion: 'v2' }, { metadata: {} }])('takes %j for no node', (more) => {
    expect(clusterNodeOf(nodeDocument({ metadata: { name: 'a' }, ...more }))).toBeUndefined();
  });
});
