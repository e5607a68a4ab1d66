/**
 * containerd's content service on a unix socket: the edge that containerd knows as its content store. It opens the socket,
 * and at its end lets running calls finish, for a while.
 */
import { systemClock, type Clock } from '../../core/runtime/clock.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { Logger } from '../../core/runtime/log.ts';
import { type ContentServiceDeps, createContentService } from './content-service.ts';
import type { Endpoint } from './endpoint.ts';
import { createGrpcJsEndpoint } from './grpc-js-endpoint.ts';
import { createDirectEndpoint } from './http2/direct-endpoint.ts';
import { createSocketFile, type SocketFile } from './socket-file.ts';

export interface ContentServerDeps extends ContentServiceDeps {
  readonly log: Logger;
  readonly clock?: Clock;
}

export interface ContentServerOptions {
  /** Where containerd's `[proxy_plugins]` points. */
  readonly socket: string;
  /** How long running calls may take to end at `stop`. */
  readonly drainMs?: number;
  /** What speaks gRPC; both pass the same suites. */
  readonly transport?: 'grpc-js' | 'direct';
}

/** containerd waits for its plugin at shutdown too; what is cut off then resumes. */
const DRAIN_MS = 5000;

/** @throws CodedError from `start`: FAILED_PRECONDITION when another server answers on the socket */
export function createContentServer(deps: ContentServerDeps, options: ContentServerOptions): Service {
  const { log, clock = systemClock } = deps;
  let endpoint: Endpoint | undefined;
  let file: SocketFile | undefined;
  return {
    async start() {
      const create = options.transport === 'grpc-js' ? createGrpcJsEndpoint : createDirectEndpoint;
      const opening = create(createContentService(deps), log);
      endpoint = opening;
      file = await createSocketFile(options.socket, (path) => opening.listen(path));
      log.info({ socket: options.socket }, 'containerd content service is open');
    },
    async stop() {
      const closing = endpoint;
      endpoint = undefined;
      // A file that cannot be removed must not keep calls running; the next start replaces it.
      await file?.remove().catch((error: unknown) => log.warn({ err: error }, 'The content socket cannot be removed'));
      file = undefined;
      if (closing === undefined) return;
      const late = new AbortController();
      const deadline = clock.sleep(options.drainMs ?? DRAIN_MS, { signal: late.signal }).catch(() => undefined);
      await Promise.race([closing.drain(), deadline]);
      late.abort();
      closing.destroy();
    },
  };
}
