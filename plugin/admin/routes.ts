/** Which path answers what. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdminDeps } from './admin.ts';
import { archiveRoutes } from './archive-routes.ts';
import { COMMON_HEADERS, sendJson } from './json-answers.ts';
import { startJsonLines } from './json-lines.ts';
import { createPullHandler } from './pull-route.ts';
import { pinJson } from './seed-json.ts';
import { seedRoutes } from './seed-routes.ts';
import { blobJson, claimJson, flightJson, memberJson, statusJson, swarmJson } from './status-json.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Whether it needs the right to change things. */
  readonly isChange: boolean;
  /** What a change's body is; default JSON. */
  readonly body?: 'json' | 'archive';
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Another method of the same path. */
  readonly also?: Route;
}

/** The methods of a path; `/a/*` stands for every path right below `/a`. None: no such path. */
export function routesAt(routes: ReadonlyMap<string, Route>, path: string): readonly Route[] {
  const found = routes.get(path) ?? routes.get(`${path.slice(0, path.lastIndexOf('/') + 1)}*`);
  if (found === undefined) return [];
  return found.also === undefined ? [found] : [found, found.also];
}

/** HEAD is a GET without a body. */
export function doesAnswer(route: Pick<Route, 'method'>, method: string): boolean {
  return method === route.method || (method === 'HEAD' && route.method === 'GET');
}

/** As an `Allow` header says it. */
export function allowedBy(routes: readonly Pick<Route, 'method'>[]): string {
  return routes.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');
}

/** Every path of the admin address. */
export function createRoutes(deps: AdminDeps): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ['/healthz', get(async (response) => sendJson(response, 200, { alive: true }))],
    ['/readyz', get(async (response) => sendReadiness(deps, response))],
    ['/metrics', get((response) => sendMetrics(deps, response))],
    ['/api/v1/status', get(async (response) => sendJson(response, 200, statusJson(deps.status(), deps.readiness())))],
    ['/api/v1/blobs', get((response) => sendLines(response, deps.blobs(), blobJson))],
    ['/api/v1/claims', get((response) => sendLines(response, deps.claims(), claimJson))],
    ['/api/v1/flights', get((response) => sendLines(response, deps.flights(), flightJson))],
    ['/api/v1/members', get((response) => sendLines(response, deps.members(), memberJson))],
    ['/api/v1/swarms', get((response) => sendLines(response, deps.swarms(), swarmJson))],
    ['/api/v1/pins', get((response) => sendLines(response, deps.pins(), pinJson))],
    ...seedRoutes(deps),
    ...archiveRoutes(deps),
    ['/api/v1/pull', { method: 'POST', isChange: true, handle: createPullHandler(deps.pull) }],
  ]);
}

function get(answer: (response: ServerResponse) => Promise<void>): Route {
  return { method: 'GET', isChange: false, handle: (_request, response) => answer(response) };
}

function sendReadiness(deps: AdminDeps, response: ServerResponse): void {
  const readiness = deps.readiness();
  sendJson(response, readiness.ready ? 200 : 503, readiness);
}

async function sendMetrics({ metrics }: AdminDeps, response: ServerResponse): Promise<void> {
  const { contentType, text } = await metrics.scrape();
  response.writeHead(200, { ...COMMON_HEADERS, 'content-type': contentType });
  response.end(text);
}

async function sendLines<T>(response: ServerResponse, rows: Iterable<T>, json: (row: T) => unknown): Promise<void> {
  const lines = startJsonLines(response);
  for (const row of rows) await lines.write(json(row));
  lines.end();
}
