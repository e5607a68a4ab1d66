/** Where other members may be found, made into addresses. */
import { lookup, resolveSrv } from 'node:dns/promises';
import type { HostPort } from '../../../core/runtime/config-address.ts';
import { JOIN_ENDPOINTS_MAX } from '../limits.ts';
import type { Endpoint } from '../net/transport.ts';
import { canonicalAddress } from '../wire/ip-address.ts';

/** One address, every address of a name, or the targets of an SRV record. */
export type JoinAddress =
  | { readonly kind: 'address'; readonly address: HostPort }
  | { readonly kind: 'dns'; readonly name: string; readonly port: number }
  | { readonly kind: 'srv'; readonly name: string };

/** Name look-ups, as something passed in. Both reject when nothing is found. */
export interface NameResolver {
  addresses(name: string): Promise<readonly string[]>;
  services(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>;
}

/** The machine's own: its hosts file and DNS servers. */
export const systemResolver: NameResolver = {
  addresses: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  services: (name) => resolveSrv(name),
};

export interface Resolved {
  readonly endpoints: readonly Endpoint[];
  readonly failures: readonly unknown[];
}

/** Everything that `addresses` stand for now, each once, JOIN_ENDPOINTS_MAX at most. What fails is only noted. */
export async function resolveJoin(addresses: readonly JoinAddress[], resolver: NameResolver): Promise<Resolved> {
  const outcomes = await Promise.allSettled(addresses.map((address) => resolveOne(address, resolver)));
  const found = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
  const unique = new Map(found.map((endpoint) => [`${endpoint.address} ${endpoint.port}`, endpoint]));
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  return { endpoints: [...unique.values()].slice(0, JOIN_ENDPOINTS_MAX), failures };
}

async function resolveOne(address: JoinAddress, resolver: NameResolver): Promise<Endpoint[]> {
  switch (address.kind) {
    case 'address':
      return endpointsOf(address.address.host, address.address.port, resolver);
    case 'dns':
      return endpointsOf(address.name, address.port, resolver);
    case 'srv': {
      const services = (await resolver.services(address.name)).slice(0, JOIN_ENDPOINTS_MAX);
      const all = await Promise.allSettled(services.map(({ name, port }) => endpointsOf(name, port, resolver)));
      return all.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
    }
  }
}

async function endpointsOf(host: string, port: number, resolver: NameResolver): Promise<Endpoint[]> {
  const literal = canonicalAddress(host);
  const addresses = literal === undefined ? await resolver.addresses(host) : [literal];
  return addresses.flatMap((text) => {
    const address = canonicalAddress(text);
    return address === undefined ? [] : [{ address, port }];
  });
}
