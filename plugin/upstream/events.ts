/** What upstream tells: one function an event. The registry client tells its requests and bytes here as well. */
import type { Digest } from '../../core/oci/digest.ts';
import type { RegistryObserver } from '../../core/registry/registry-client.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';

export interface UpstreamEvents {
  probeFailed(facts: { repository: string; digest: Digest; err: unknown }): void;
  credentialsFailed(facts: { err: unknown }): void;
  repositoryFailed(facts: { repository: string; digest: Digest; err: unknown }): void;
  sentWrongBytes(facts: { repository: string | undefined; digest: Digest }): void;
}

export function createUpstreamEvents(log: Logger): UpstreamEvents {
  return {
    probeFailed: (facts) => log.debug(facts, 'Repository does not give this blob'),
    credentialsFailed: (facts) => log.warn(facts, 'Credentials could not be read'),
    repositoryFailed: (facts) => log.debug(facts, 'Download from a repository failed'),
    sentWrongBytes: (facts) => log.warn(facts, 'Registry sent bytes that are not those of the digest'),
  };
}

/** Registries that have a label of their own in metrics; the names come from references, which anybody may write. */
const LABELS_MAX = 64;

/** For the registry client's `observer`: `shoal_upstream_bytes_total` and `shoal_upstream_requests_total`. */
export function createRegistryObserver(deps: { log: Logger; metrics: Metrics }): RegistryObserver {
  const requests = deps.metrics.counter({
    name: 'shoal_upstream_requests_total',
    help: 'Requests to origin registries, redirects and failures (status 0) included',
    labels: ['registry', 'kind', 'status'],
  });
  const bytes = deps.metrics.counter({
    name: 'shoal_upstream_bytes_total',
    help: 'Body bytes received from origin registries',
    labels: ['registry'],
  });
  const names = new Set<string>();
  const labelOf = (registry: string) => {
    if (names.size < LABELS_MAX) names.add(registry);
    return names.has(registry) ? registry : 'other';
  };
  return {
    onRequest: ({ registry, kind, status }) =>
      requests.add(1, { registry: labelOf(registry), kind, status: `${status}` }),
    onBytes: (received) => bytes.add(received.bytes, { registry: labelOf(received.registry) }),
    onRateLimit: (limit) => deps.log.debug({ ...limit }, 'Registry told its pull limit'),
  };
}
