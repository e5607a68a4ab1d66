/**
 * A Kubernetes cluster as the warmer sees it: what it runs, and a lease that keeps two warmers apart. Nothing is asked before the
 * first use; what cannot be asked then is told by whoever is used.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { HttpTransport } from '../../../core/registry/http-transport.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import type { Logger } from '../../../core/runtime/log.ts';
import type { Source } from '../source.ts';
import { type AccessOptions, findAccess } from './access/find-access.ts';
import type { Environment, ServerAccess } from './access/server-access.ts';
import { ApiClient } from './api/api-client.ts';
import { createKubernetesSource, type KubernetesOptions } from './kubernetes-source.ts';
import { type HeldLease, KubernetesLease, type LeaseAttempt, type LeaseOptions } from './lease/kubernetes-lease.ts';
import { createWatchedSource, type WatchedSource } from './watch/watched-source.ts';

export type { HeldLease, KubernetesOptions, LeaseAttempt, WatchedSource };

export interface ClusterDeps {
  /** For KUBECONFIG, a pod's service host, and credential plugins. */
  readonly env: Environment;
  /** Below it `.kube/config`. */
  readonly homeDirectory: string;
  /** Where a pod's service account is mounted. Default: where the kubelet does. */
  readonly accountDirectory?: string;
  readonly clock: Clock;
  /** From 0 to just below 1. */
  readonly random: () => number;
  readonly log: Logger;
}

/** Everything but the name has a default; the namespace's is the context's, or the pod's own. */
export type ClusterLeaseOptions = Partial<LeaseOptions> & Pick<LeaseOptions, 'name'>;

export interface Cluster {
  /** How reports name it; files of its documents begin so. */
  readonly name: string;
  /** Lists it at each reading. */
  source(options: KubernetesOptions): Source;
  /** Watches it from its `start` to its `stop`. */
  watch(options: KubernetesOptions): WatchedSource;
  /**
   * Takes the lease of a name, waiting up to `waitMs` for whoever holds it. A holder that died is told from one that lives only
   * by waiting as long as the lease lasts.
   * @throws CodedError when the API cannot be asked or does not permit it
   */
  acquireLease(options: ClusterLeaseOptions, call: { waitMs: number; signal: AbortSignal }): Promise<LeaseAttempt>;
  /** Ends its connections. */
  close(): void;
}

/** Inert until it is used. */
export function createCluster(deps: ClusterDeps, options: AccessOptions): Cluster {
  const { kubeconfig, context } = options;
  const name = [kubeconfig, context].filter((part) => part !== undefined).join('#') || 'kubernetes';
  const access = found(deps, options);
  // A lease that cannot be renewed because lists wait for connections would be lost.
  const transports = { objects: new HttpTransport(), lease: new HttpTransport() };
  const clientOf = (transport: HttpTransport) => new ApiClient({ ...deps, name, access, transport });
  const client = clientOf(transports.objects);
  return {
    name,
    source: (scope) => createKubernetesSource(client, scope),
    watch: (scope) => createWatchedSource({ ...deps, client }, scope),
    async acquireLease(lease, call) {
      const { namespace } = await access(call);
      const settings = { namespace, holder: `${hostname()}_${randomUUID()}`, ...lease };
      return await new KubernetesLease({ ...deps, client: clientOf(transports.lease) }, settings).acquire(call);
    },
    close() {
      for (const transport of Object.values(transports)) transport.close();
    },
  };
}

/** The access, looked for once it is needed, and again when it was not found. */
function found(deps: ClusterDeps, options: AccessOptions) {
  let known: Promise<ServerAccess> | undefined;
  return ({ signal }: { signal: AbortSignal }): Promise<ServerAccess> => {
    if (known !== undefined) return known;
    const search = findAccess(deps, options, { signal });
    known = search;
    search.catch(() => {
      known = undefined;
    });
    return search;
  };
}
