/** How a registry is reached, by its name in references. Pure. */
import type { RegistryEndpoint } from '../../core/registry/registry-client.ts';

const DOCKER_HUB: RegistryEndpoint = { host: 'docker.io', url: 'https://registry-1.docker.io' };

/** The operator's own endpoint of that name; else Docker Hub's, or https at the name itself. */
export function endpointOf(domain: string, configured: readonly RegistryEndpoint[]): RegistryEndpoint {
  const name = domain.toLowerCase();
  const own = configured.find(({ host }) => host.toLowerCase() === name);
  return own ?? (name === DOCKER_HUB.host ? DOCKER_HUB : { host: name, url: `https://${name}` });
}
