/** What is told of watching a cluster. */
import { messageOf } from '../../../../core/runtime/errors.ts';
import type { Logger } from '../../../../core/runtime/log.ts';
import { type Listing, resourceName } from '../api/resource.ts';

export function watchFailed(log: Logger, { resource, path }: Listing, error: unknown): void {
  log.warn({ resource: resourceName(resource), path, reason: messageOf(error) }, 'Cluster watch failed');
}

export function discoveryFailed(log: Logger, cluster: string, error: unknown): void {
  log.warn({ cluster, reason: messageOf(error) }, 'Cluster discovery failed');
}

export function watchesChosen(log: Logger, cluster: string, counts: { watched: number; listed: number }): void {
  log.info({ cluster, ...counts }, 'Cluster is watched');
}
