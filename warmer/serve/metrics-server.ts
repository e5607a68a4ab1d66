/** `/metrics` and `/healthz` of the daemon, where it is told to listen. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { HostPort } from '../../core/runtime/config-address.ts';
import { closeHttp, httpAddressOf, listenHttp } from '../../core/runtime/http-listener.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { ScrapableMetrics } from '../../core/runtime/metrics.ts';

/** A Prometheus or two. */
const CONNECTIONS_MAX = 64;
const HEADERS_TIMEOUT_MS = 10_000;
const STOP_GRACE_MS = 1_000;

export interface MetricsServer extends Service {
  /** `host:port`; undefined before start and after stop. */
  address(): string | undefined;
}

export function createMetricsServer(metrics: ScrapableMetrics, listen: HostPort): MetricsServer {
  const server: Server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS }, (request, response) => {
    const path = request.url?.split('?', 1)[0];
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead && path === '/metrics') return void sendMetrics(metrics, response);
    if (isRead && path === '/healthz') return void response.writeHead(200).end('ok\n');
    response.writeHead(isRead ? 404 : 405).end();
  });
  server.maxConnections = CONNECTIONS_MAX;
  return {
    start: () => listenHttp(server, listen, "the warmer's metrics address"),
    stop: () => closeHttp(server, STOP_GRACE_MS),
    address: () => httpAddressOf(server),
  };
}

async function sendMetrics(metrics: ScrapableMetrics, response: ServerResponse): Promise<void> {
  try {
    const { contentType, text } = await metrics.scrape();
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text);
  } catch {
    response.writeHead(500).end();
  }
}
