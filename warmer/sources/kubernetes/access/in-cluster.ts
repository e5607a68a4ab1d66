/** The API server of the cluster that this pod runs in, with the pod's own service account. */
import type { Clock } from '../../../../core/runtime/clock.ts';
import { CodedError } from '../../../../core/runtime/errors.ts';
import { KeptFile } from './kept-file.ts';
import type { Environment, ServerAccess } from './server-access.ts';

/** Where the kubelet mounts it (kubernetes `serviceaccount/admission.go`). */
export const ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface InClusterDeps {
  readonly env: Environment;
  readonly clock: Clock;
  readonly directory?: string;
}

/** True in a pod with a service account's token. */
export async function isInCluster({ env, clock, directory = ACCOUNT_DIRECTORY }: InClusterDeps): Promise<boolean> {
  if (!env.KUBERNETES_SERVICE_HOST || !env.KUBERNETES_SERVICE_PORT) return false;
  const token = new KeptFile(`${directory}/token`, clock);
  return token.read({ isRefused: false, signal: AbortSignal.timeout(READ_MS) }).then(
    () => true,
    () => false,
  );
}

const READ_MS = 5_000;

/** @throws CodedError FAILED_PRECONDITION outside a pod */
export async function inClusterAccess({
  env,
  clock,
  directory = ACCOUNT_DIRECTORY,
}: InClusterDeps): Promise<ServerAccess> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) {
    throw new CodedError('FAILED_PRECONDITION', 'KUBERNETES_SERVICE_HOST and _PORT are not set: this is no pod');
  }
  const [token, ca] = [new KeptFile(`${directory}/token`, clock), new KeptFile(`${directory}/ca.crt`, clock)];
  const namespace = await new KeptFile(`${directory}/namespace`, clock)
    .read({ isRefused: false, signal: AbortSignal.timeout(READ_MS) })
    .catch(() => 'default');
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    name: 'in-cluster',
    namespace,
    async credentials(options) {
      return {
        headers: { authorization: `Bearer ${await token.read(options)}` },
        tls: { ca: await ca.read(options) },
      };
    },
  };
}
