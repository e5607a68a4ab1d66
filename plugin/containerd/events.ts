/** What this module tells operators. */
import { messageOf } from '../../core/runtime/errors.ts';
import type { Logger } from '../../core/runtime/log.ts';

export interface ContainerdEvents {
  connected(version: string): void;
  lost(error: unknown): void;
  probeFailed(error: unknown): void;
}

export function createContainerdEvents(log: Logger, socket: string): ContainerdEvents {
  return {
    connected: (version) => log.info({ socket, version }, 'containerd answers'),
    lost: (error) => log.warn({ socket, reason: messageOf(error) }, 'containerd does not answer any more'),
    probeFailed: (error) => log.debug({ socket, reason: messageOf(error) }, 'containerd does not answer'),
  };
}
