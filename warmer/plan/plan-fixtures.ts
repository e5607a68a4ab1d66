/** Small fleets, images and workloads for the tests of this room. */
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import type { ScaleEvent } from '../schedule/schedule.ts';
import { ANYWHERE } from '../sources/extract/pod-constraints.ts';
import type { PodConstraints, Workload } from '../sources/workload.ts';
import type { PlanBlob, PlanImage, PlanInput, PlanNode, PlanOptions } from './plan-input.ts';

export const NOW = Date.parse('2026-11-21T20:40:00Z');
const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };

export const OPTIONS: PlanOptions = {
  nowMs: NOW,
  mode: 'schedulable',
  copies: 3,
  marginMs: 300_000,
  defaultLeadMs: 600_000,
};

export function blob(name: string, size = 100): PlanBlob {
  return { digest: digestOf(name), size };
}

/** An image for both architectures whose layers are named; every other blob is one byte. */
export function image(name: string, layers: readonly PlanBlob[] = [blob(`${name} layer`)]): PlanImage {
  const variant = (architecture: string) => ({
    platform: { os: 'linux', architecture },
    manifest: blob(`${name} ${architecture} manifest`, 1),
    config: blob(`${name} ${architecture} config`, 1),
    layers,
  });
  return {
    reference: `registry.example/${name}:1`,
    digest: digestOf(name),
    indexes: [blob(`${name} index`, 1)],
    variants: [variant('amd64'), variant('arm64')],
  };
}

/** What `image` is for one architecture: index, manifest, config, layers. */
export function blobsFor(of: PlanImage, architecture = 'amd64'): Digest[] {
  const found = of.variants.find(({ platform }) => platform?.architecture === architecture);
  if (found === undefined) return [];
  return [...of.indexes, found.manifest, found.config, ...found.layers].map(({ digest }) => digest);
}

export function node(name: string, more: Partial<PlanNode> & { arm?: boolean } = {}): PlanNode {
  const { arm, ...given } = more;
  return {
    name,
    zone: '',
    labels: {},
    taints: [],
    platform: arm === true ? ARM64 : AMD64,
    freeBytes: undefined,
    holds: new Set(),
    ...given,
  };
}

export function workload(name: string, images: readonly PlanImage[], pod: Partial<PodConstraints> = {}): Workload {
  const place = { file: `${name}.yaml`, document: 1, line: 9 };
  return {
    ...place,
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'shop',
    name,
    template: 'spec.template.spec',
    images: images.map(({ reference }) => ({
      ...place,
      path: 'spec.template.spec.containers[0].image',
      rule: 'kind',
      role: 'container',
      image: reference,
      reference,
      kind: 'Deployment',
      namespace: 'shop',
      name,
    })),
    replicas: 2,
    isOnEveryNode: false,
    pod: { ...ANYWHERE, ...pod },
  };
}

export function event(target: Workload, at: number): ScaleEvent {
  return {
    at,
    kind: 'ScaledObject',
    namespace: 'shop',
    name: target.name ?? '',
    replicas: 10,
    schedule: '0 8 * * *',
    timezone: 'UTC',
    images: target.images.map(({ reference }) => reference).sort(),
    targets: [target],
    file: 'scaler.yaml',
    document: 1,
    line: 12,
    path: 'spec.triggers[0].metadata.start',
  };
}

export function input(given: Partial<PlanInput>): PlanInput {
  return { images: [], workloads: [], events: [], nodes: [], unresolved: [], ...given };
}
