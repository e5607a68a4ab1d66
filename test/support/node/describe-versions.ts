/** Which containerds the node can be tested with on this machine. */
import { describe } from '@jest/globals';
import { CONTAINERD_VERSIONS, type ContainerdVersion, unavailable } from '../containerd/versions.ts';
import { dockerRegistryUnavailable } from '../docker-registry/docker-registry.ts';

/** A suite for each version; one that cannot run here is skipped, and stderr says why. */
export function describeVersions(title: string, suite: (version: ContainerdVersion) => void): void {
  for (const version of CONTAINERD_VERSIONS) {
    const reason = unavailable(version) ?? dockerRegistryUnavailable();
    if (reason !== undefined) process.stderr.write(`${title}: containerd ${version} is not tested: ${reason}\n`);
    const describeIt = reason === undefined ? describe : describe.skip;
    describeIt(`${title} with containerd ${version}`, () => suite(version));
  }
}
