/** Which kinds a cluster is asked for: those of the table of images, those that say when workloads scale, those the user names. Data. */
import { knownKinds } from '../extract/kinds.ts';
import type { WantedKind } from './api/discovery.ts';

/** They have no pods of their own, but say when, how far or by which image others will be scaled. */
const SCALING_KINDS: readonly WantedKind[] = [
  { group: '', kind: 'Namespace' },
  { group: 'autoscaling', kind: 'HorizontalPodAutoscaler' },
  { group: 'keda.sh', kind: 'ScaledObject' },
  { group: 'autoscaling.alibabacloud.com', kind: 'CronHorizontalPodAutoscaler' },
  { group: 'autoscaling.karmada.io', kind: 'CronFederatedHPA' },
  { group: 'autoscaling.karmada.io', kind: 'FederatedHPA' },
  { group: 'kube-green.com', kind: 'SleepInfo' },
  { group: 'zalando.org', kind: 'Stack' },
  { group: 'argoproj.io', kind: 'AppProject' },
  { group: 'argocd-image-updater.argoproj.io', kind: 'ImageUpdater' },
  { group: 'image.toolkit.fluxcd.io', kind: 'ImagePolicy' },
  { group: 'karpenter.sh', kind: 'NodePool' },
  { group: 'karpenter.sh', kind: 'NodeClaim' },
];

/** What pods run on. */
const NODES: readonly WantedKind[] = [{ group: '', kind: 'Node' }];

/** Never taken from the user: large, secret, or never an image. Pull secrets are got one by one, by their names. */
const EXCLUDED = new Set(['ConfigMap', 'Secret', 'Event', 'Node', 'CustomResourceDefinition', 'PersistentVolume']);

/** `kinds`: those of the user, `Engine` or `Engine.example.com`. */
export function wantedKinds(kinds: readonly string[]): WantedKind[] {
  const named = kinds.map(kindNamed).filter(({ kind }) => !EXCLUDED.has(kind));
  const all = [...knownKinds(), ...SCALING_KINDS, ...NODES, ...named];
  return [...new Map(all.map((one) => [`${one.kind}.${one.group ?? '*'}`, one])).values()];
}

/** Names of the user that are not asked for. */
export function excludedKinds(kinds: readonly string[]): string[] {
  return kinds.filter((name) => EXCLUDED.has(kindNamed(name).kind));
}

function kindNamed(name: string): WantedKind {
  const dot = name.indexOf('.');
  return dot < 0 ? { kind: name, group: undefined } : { kind: name.slice(0, dot), group: name.slice(dot + 1) };
}
