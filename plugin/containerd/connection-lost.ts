/** Tells when a channel's standing connection is gone. */
import { type Client, connectivityState } from '@grpc/grpc-js';

/**
 * Resolves when the connection that stands now breaks or is closed; at once when none stands. A channel cannot take a
 * watcher back, so a caller keeps one at a time.
 */
export function connectionLost(client: Client): Promise<void> {
  const channel = client.getChannel();
  return new Promise((resolve) => {
    if (channel.getConnectivityState(false) !== connectivityState.READY) return resolve();
    channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () => resolve());
  });
}
