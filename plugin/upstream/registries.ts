/** Which registries a name may mean, and which of them may be asked. Pure. */
import { hasPort, hostNameOf } from '../../core/oci/host-name.ts';
import type { Source } from '../../core/oci/source.ts';
import type { RegistryEndpoint, Repository } from '../../core/registry/registry-client.ts';

const DOCKER_HUB = { host: 'docker.io', url: 'https://registry-1.docker.io' };
/** Other names that Docker Hub goes by. */
const DOCKER_HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

export interface RegistriesOptions {
  readonly endpoints: readonly RegistryEndpoint[];
  /** Empty = any. */
  readonly allow: readonly string[];
}

/** A repository that a source may mean. */
export interface CandidateRepository extends Repository {
  /** Others may be meant as well: what is known of its registry tells nothing of it. */
  readonly isGuess?: boolean;
}

/**
 * The repositories that a source may mean, best first. containerd's labels name a registry without its port, so a name
 * without one also means every configured registry of that host.
 */
export function repositoriesOf(source: Source, { endpoints, allow }: RegistriesOptions): CandidateRepository[] {
  const name = DOCKER_HUB_NAMES.has(source.registry) ? DOCKER_HUB.host : source.registry.toLowerCase();
  const exact = endpoints.find(({ host }) => host.toLowerCase() === name);
  const sameHost = hasPort(name) ? [] : endpoints.filter(({ host }) => hostNameOf(host) === hostNameOf(name));
  const configured = new Set([...(exact ? [exact] : []), ...sameHost]);
  const found = [...configured, ...(exact ? [] : [unconfigured(name)])];
  const isGuess = ({ host }: RegistryEndpoint) =>
    source.isGuess === true || configured.size > 1 || (configured.size === 1 && host === name && !exact);
  return found
    .filter(({ host }) => allow.length === 0 || allow.includes(host))
    .map((registry) => ({ registry, name: source.repository, ...(isGuess(registry) && { isGuess: true }) }));
}

/** One text for one repository. */
export function repositoryKey({ registry, name }: Repository): string {
  return `${registry.host}/${name}`;
}

function unconfigured(name: string): RegistryEndpoint {
  return name === DOCKER_HUB.host ? DOCKER_HUB : { host: name, url: `https://${name}` };
}
