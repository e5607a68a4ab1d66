/** Whether a workload's pods may be put on a node, and how gladly. Pure. */
import { isPlatformFor, parsePlatform } from '../../../core/oci/platform.ts';
import type { Workload } from '../../sources/workload.ts';
import type { PlanNode } from '../plan-input.ts';
import { matchesTerm } from './node-requirement.ts';
import { DAEMON_TOLERATIONS, dislikes, toleratesAll } from './taints.ts';

/** What keeps a pod off a node, in the words of a report. */
export type Obstacle = 'node name' | 'node selector' | 'node affinity' | 'taints' | 'platform';

type Check = (workload: Workload, node: PlanNode) => boolean;

/** In the order in which they are told. */
const CHECKS: readonly (readonly [Obstacle, Check])[] = [
  ['node name', ({ pod }, node) => pod.nodeName === undefined || pod.nodeName === node.name],
  [
    'node selector',
    ({ pod }, { labels }) => Object.entries(pod.nodeSelector).every(([key, value]) => labels[key] === value),
  ],
  ['node affinity', ({ pod }, node) => pod.requiredNodeTerms?.some((term) => matchesTerm(term, node)) ?? true],
  [
    'taints',
    (workload, { taints }) => toleratesAll(taints, tolerationsOf(workload)) || workload.pod.nodeName !== undefined,
  ],
  ['platform', ({ pod }, node) => isOs(pod.os, node) && isPlatform(pod.platform, node)],
];

/** undefined when the pod may be put there. A named node is not asked for its taints: the scheduler is passed over. */
export function obstacleFor(workload: Workload, node: PlanNode): Obstacle | undefined {
  return CHECKS.find(([, check]) => !check(workload, node))?.[0];
}

/** The scheduler's liking for a node: weights of preferred terms, less for taints that would rather not. */
export function preferenceFor(workload: Workload, node: PlanNode): number {
  const liked = workload.pod.preferredNodeTerms.filter((term) => matchesTerm(term, node));
  const weight = liked.reduce((sum, term) => sum + term.weight, 0);
  return weight - DISLIKE_WEIGHT * dislikes(node.taints, tolerationsOf(workload));
}

/** As much as the strongest preference. */
const DISLIKE_WEIGHT = 100;

function tolerationsOf({ kind, pod }: Workload) {
  return kind === 'DaemonSet' ? [...pod.tolerations, ...DAEMON_TOLERATIONS] : pod.tolerations;
}

function isOs(os: string | undefined, node: PlanNode): boolean {
  return os === undefined || os === node.platform.os;
}

function isPlatform(platform: string | undefined, node: PlanNode): boolean {
  if (platform === undefined) return true;
  try {
    return isPlatformFor(parsePlatform(platform), node.platform);
  } catch {
    // No node has a platform that nobody can read.
    return false;
  }
}
