/** A client of a stand-in for an API server, whose waiting takes no time. For tests. */
import { HttpTransport } from '../../../core/registry/http-transport.ts';
import { type Clock, systemClock } from '../../../core/runtime/clock.ts';
import { type StandIn, type StandInKind, startStandIn } from './stand-in.ts';
import type { ServerAccess } from '../../../warmer/sources/kubernetes/access/server-access.ts';
import { ApiClient } from '../../../warmer/sources/kubernetes/api/api-client.ts';
import type { Resource } from '../../../warmer/sources/kubernetes/api/resource.ts';

export interface ClientSetup extends AsyncDisposable {
  readonly server: StandIn;
  readonly client: ApiClient;
  /** What was waited, milliseconds. */
  readonly waits: readonly number[];
  /** Whether credentials were asked for after a refusal, in order. */
  readonly asked: readonly boolean[];
  readonly clock: Clock;
}

export const DEPLOYMENTS: Resource = resource('apps', 'v1', 'Deployment');
export const PODS: Resource = resource('', 'v1', 'Pod');

export function resource(group: string, version: string, kind: string, isNamespaced = true): Resource {
  return { group, version, kind, plural: `${kind.toLowerCase()}s`, isNamespaced, canWatch: true };
}

export async function setUpClient(
  kinds: readonly StandInKind[],
  options: { tokens?: readonly string[]; idleMs?: number; path?: string } = {},
): Promise<ClientSetup> {
  const server = await startStandIn(kinds);
  const transport = new HttpTransport({ idleMs: options.idleMs ?? 5_000, responseMs: options.idleMs ?? 5_000 });
  const [waits, asked]: [number[], boolean[]] = [[], []];
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, { signal } = {}) => {
      waits.push(ms);
      return systemClock.sleep(Math.min(ms, 5), signal === undefined ? {} : { signal });
    },
  };
  const access: ServerAccess = {
    server: new URL(options.path ?? '/', server.url),
    name: 'test',
    namespace: 'shop',
    async credentials({ isRefused }) {
      asked.push(isRefused);
      const token = options.tokens?.[isRefused ? 1 : 0];
      return { headers: token === undefined ? {} : { authorization: `Bearer ${token}` }, tls: { ca: server.ca } };
    },
  };
  const client = new ApiClient({ name: 'test', access: async () => access, transport, clock, random: () => 0.5 });
  const dispose = async () => {
    transport.close();
    await server.stop();
  };
  return { server, client, waits, asked, clock, [Symbol.asyncDispose]: dispose };
}
