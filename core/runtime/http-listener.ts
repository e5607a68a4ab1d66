/** Opening and closing an HTTP server as a node's edges do. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatHostPort, type HostPort } from './config-address.ts';
import { fromErrno } from './errors.ts';

/**
 * Resolves when it listens. Later errors are connections that could not be accepted (no descriptor left): those clients' trouble,
 * not the node's end.
 * @param what as in "Opening <what> 127.0.0.1:80: …"
 * @throws CodedError as `fromErrno` makes it
 */
export function listenHttp(server: Server, { host, port }: HostPort, what: string): Promise<void> {
  server.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(fromErrno(error, `Opening ${what} ${formatHostPort({ host, port })}`));
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

/** Takes no more; answers under way have `graceMs`. Closing what does not listen does nothing. */
export async function closeHttp(server: Server, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}

/** `host:port` of a server that listens. */
export function httpAddressOf(server: Server): string | undefined {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') return undefined;
  return formatHostPort({ host: address.address, port: address.port });
}
