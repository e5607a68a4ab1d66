/** The lease as a Kubernetes Lease object, in the namespace of the warmer's own pod or context. */
import type { Cluster } from '../sources/kubernetes/cluster.ts';
import type { WorkLease } from './work-lease.ts';

const NAME = 'shoal-warmer';
/** Whether a holder has died is told only by waiting as long as its lease lasts, and a little more. */
const WAIT_MS = 17_000;

export function createClusterLease(cluster: Pick<Cluster, 'acquireLease'>, holder: string): WorkLease {
  return {
    acquire: ({ signal }) => cluster.acquireLease({ name: NAME, holder }, { waitMs: WAIT_MS, signal }),
  };
}
