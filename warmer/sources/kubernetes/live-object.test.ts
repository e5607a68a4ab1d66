import { describe, expect, it } from '@jest/globals';
import { asTemplate, isCurrent, trimmed } from './live-object.ts';

const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const owner = (kind: string, apiVersion: string) => ({
  ownerReferences: [
    { kind: 'Other', apiVersion: 'v1' },
    { kind, apiVersion, name: 'o', uid: 'u', controller: true },
  ],
});

describe('trimmed()', () => {
  it('leaves out what is long and says nothing', () => {
    const metadata = {
      name: 'a',
      managedFields: [{}],
      annotations: { [APPLIED]: '{}', 'downscaler/uptime': 'always' },
    };
    const spec = { replicas: 1 };
    expect(trimmed({ kind: 'Deployment', metadata, spec, status: { updatedReplicas: 1 } })).toEqual({
      kind: 'Deployment',
      metadata: { name: 'a', annotations: { 'downscaler/uptime': 'always' } },
      spec,
      status: { updatedReplicas: 1 },
    });
    expect(trimmed({ kind: 'Pod', metadata, status: { phase: 'Running' } })).not.toHaveProperty('status');
    const status = { nodeInfo: { architecture: 'arm64' }, allocatable: { cpu: '4' }, images: [{}], conditions: [{}] };
    expect(trimmed({ kind: 'Node', metadata, status })).toHaveProperty('status', {
      nodeInfo: { architecture: 'arm64' },
      allocatable: { cpu: '4' },
    });
  });
});

describe('isCurrent()', () => {
  it.each([
    ['a Deployment', { kind: 'Deployment' }, true],
    ['what is being deleted', { kind: 'Deployment', metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, false],
    ['a running pod', { kind: 'Pod', status: { phase: 'Running' } }, true],
    ['a pod that is over', { kind: 'Pod', status: { phase: 'Succeeded' } }, false],
    ['a job that runs', { kind: 'Job', status: { conditions: [{ type: 'Complete', status: 'False' }] } }, true],
    ['a job that is over', { kind: 'Job', status: { conditions: [{ type: 'Failed', status: 'True' }] } }, false],
    ['a job of a CronJob', { kind: 'Job', metadata: owner('CronJob', 'batch/v1') }, false],
    ['a job of somebody else', { kind: 'Job', metadata: owner('Engine', 'example.com/v1') }, true],
    ['a ReplicaSet of its own', { kind: 'ReplicaSet' }, true],
    ['a ReplicaSet of a Deployment', { kind: 'ReplicaSet', metadata: owner('Deployment', 'apps/v1') }, false],
    ['a ReplicaSet of somebody else', { kind: 'ReplicaSet', metadata: owner('Engine', 'example.com/v1') }, true],
    ['an old ReplicaSet', { kind: 'ReplicaSet', spec: { replicas: 0 }, metadata: owner('Engine', 'e.com/v1') }, false],
    // The operator's own choice of images is nowhere else.
    [
      'a StatefulSet of Prometheus',
      { kind: 'StatefulSet', metadata: owner('Prometheus', 'monitoring.coreos.com/v1') },
      true,
    ],
  ])('is right about %s', (_, object, expected) => {
    expect(isCurrent(object)).toBe(expected);
  });
});

describe('asTemplate()', () => {
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] };
  const bound = (terms: readonly object[]) => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
      preferredDuringSchedulingIgnoredDuringExecution: [],
    },
    podAffinity: {},
  });
  const pod = (affinity: object, kind = 'DaemonSet') => ({
    kind: 'Pod',
    metadata: owner(kind, 'apps/v1'),
    spec: { nodeName: 'n', affinity, containers: [] },
  });

  it('frees a pod from the node that it got', () => {
    expect(asTemplate(pod(bound([term])))).toHaveProperty('spec', {
      containers: [],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] }, podAffinity: {} },
    });
    const zone = { matchExpressions: [{ key: 'zone', operator: 'Exists' }] };
    expect(asTemplate(pod(bound([{ ...zone, ...term }])))).toHaveProperty('spec.affinity', bound([zone]));
  });

  it('leaves alone a pod that nobody makes again, and one that its node has of itself', () => {
    const bare = { kind: 'Pod', spec: { nodeName: 'n' } };
    expect(asTemplate(bare)).toBe(bare);
    const mirror = pod({}, 'Node');
    expect(asTemplate(mirror)).toBe(mirror);
  });
});
