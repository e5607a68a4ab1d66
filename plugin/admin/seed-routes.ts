/** Seeding at the admin address (`proto/shoal/seed/v1`). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../../core/runtime/config-address.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { SeedDesk, SeedRequest } from '../seed/seed.ts';
import { sendLiveLines, whileRead } from './heartbeat-lines.ts';
import { COMMON_HEADERS, sendJson } from './json-answers.ts';
import { readJsonObject } from './request-body.ts';
import type { Route } from './routes.ts';
import { doneJson, leaseJson, nodeJson, presenceJson, seedJson, stepJson } from './seed-json.ts';
import { SEED_BODY_BYTES_MAX, readLeaseRequest, readPresenceRequest, readSeedRequest } from './seed-request.ts';

const SEEDS = '/api/v1/seeds';

export interface SeedRoutesDeps {
  readonly seeding: SeedDesk;
  readonly clock: Pick<Clock, 'now'>;
}

export function seedRoutes({ seeding, clock }: SeedRoutesDeps): [string, Route][] {
  return [
    [
      SEEDS,
      {
        ...lines((_request, _call) => each(seeding.seeds(), seedJson)),
        also: change('POST', (request, response) => sendSeed(request, response, { seeding, clock })),
      },
    ],
    [`${SEEDS}/*`, change('DELETE', async (request, response) => sendCancelled(request, response, seeding))],
    ['/api/v1/nodes', lines((_request, call) => each(seeding.nodes(call), nodeJson))],
    ['/api/v1/presence', change('POST', (request, response) => sendPresence(request, response, seeding))],
    ['/api/v1/leases', change('POST', (request, response) => sendLease(request, response, seeding))],
  ];
}

type Handler = Route['handle'];

function change(method: 'POST' | 'DELETE', handle: Handler): Route {
  return { method, isChange: true, handle };
}

function lines(rows: (request: IncomingMessage, call: { signal: AbortSignal }) => AsyncIterable<unknown>): Route {
  const handle: Handler = async (request, response) => {
    const reading = whileRead(response);
    await sendLiveLines(response, rows(request, reading));
    reading.over();
  };
  return { method: 'GET', isChange: false, handle };
}

async function* each<T>(
  rows: Iterable<T> | AsyncIterable<T>,
  json: (row: T) => unknown,
): AsyncGenerator<unknown, void> {
  for await (const row of rows) yield json(row);
}

async function sendSeed(
  request: IncomingMessage,
  response: ServerResponse,
  { seeding, clock }: SeedRoutesDeps,
): Promise<void> {
  const asked = readSeedRequest(await readJsonObject(request, SEED_BODY_BYTES_MAX), clock.now());
  refuseExposedTokens(request.socket.remoteAddress, asked);
  const reading = whileRead(response);
  const seed = seeding.seed(asked, reading);
  const told = async function* () {
    yield { kind: 'accepted', id: seed.id, nodes: asked.targets.length, images: asked.images.length };
    for await (const step of seed.steps) yield stepJson(step, asked.level === 'image');
    yield doneJson(seed.id, seed.counts());
  };
  await sendLiveLines(response, told());
  reading.over();
}

/**
 * This address has no TLS: a token that came from another machine was read by whoever listens.
 * @throws CodedError FAILED_PRECONDITION
 */
export function refuseExposedTokens(caller: string | undefined, { images }: Pick<SeedRequest, 'images'>): void {
  if (isLoopback(caller ?? '') || images.every(({ token }) => token === undefined)) return;
  throw new CodedError('FAILED_PRECONDITION', 'Tokens of images are taken over a loopback connection only');
}

async function sendPresence(request: IncomingMessage, response: ServerResponse, seeding: SeedDesk): Promise<void> {
  const asked = readPresenceRequest(await readJsonObject(request, SEED_BODY_BYTES_MAX));
  const reading = whileRead(response);
  const told = async function* () {
    yield* each(seeding.presence(asked, reading), presenceJson);
    yield { kind: 'done' };
  };
  await sendLiveLines(response, told());
  reading.over();
}

async function sendLease(request: IncomingMessage, response: ServerResponse, seeding: SeedDesk): Promise<void> {
  const ask = readLeaseRequest(await readJsonObject(request));
  const reading = whileRead(response);
  sendJson(response, 200, leaseJson(ask.name, await seeding.lease(ask, reading)));
  reading.over();
}

function sendCancelled(request: IncomingMessage, response: ServerResponse, seeding: SeedDesk): void {
  const id = (request.url ?? '').split('?', 1)[0]?.slice(`${SEEDS}/`.length) ?? '';
  if (!seeding.cancel(id)) throw new CodedError('NOT_FOUND', 'No such seed');
  response.writeHead(204, COMMON_HEADERS);
  response.end();
}
