/** Which path answers what. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdminDeps } from './admin.ts';
import { COMMON_HEADERS, sendJson } from './json-answers.ts';
import { startJsonLines } from './json-lines.ts';
import { createPullHandler } from './pull-route.ts';
import { blobJson, claimJson, flightJson, memberJson, statusJson, swarmJson } from './status-json.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Whether it needs the right to change things. */
  readonly isChange: boolean;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** Every path of the admin address. */
export function createRoutes(deps: AdminDeps): ReadonlyMap<string, Route> {
  return new Map([
    ['/healthz', get(async (response) => sendJson(response, 200, { alive: true }))],
    ['/readyz', get(async (response) => sendReadiness(deps, response))],
    ['/metrics', get((response) => sendMetrics(deps, response))],
    ['/api/v1/status', get(async (response) => sendJson(response, 200, statusJson(deps.status(), deps.readiness())))],
    ['/api/v1/blobs', get((response) => sendLines(response, deps.blobs(), blobJson))],
    ['/api/v1/claims', get((response) => sendLines(response, deps.claims(), claimJson))],
    ['/api/v1/flights', get((response) => sendLines(response, deps.flights(), flightJson))],
    ['/api/v1/members', get((response) => sendLines(response, deps.members(), memberJson))],
    ['/api/v1/swarms', get((response) => sendLines(response, deps.swarms(), swarmJson))],
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
