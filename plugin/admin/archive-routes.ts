/**
 * Images in archives: `POST /api/v1/import` takes one as its body while one JSON line tells each step, `POST /api/v1/export` gives one.
 * Both are changes: the first writes, the second brings an image here and shows what may be private.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parsePlatform } from '../../core/oci/platform.ts';
import { parseReference } from '../../core/oci/reference.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { parseDuration } from '../../core/runtime/units.ts';
import type { Export, Import, ImportStep } from '../archive/archive.ts';
import type { AdminDeps } from './admin.ts';
import { sendLiveLines, whileRead } from './heartbeat-lines.ts';
import { COMMON_HEADERS } from './json-answers.ts';
import { readJsonObject } from './request-body.ts';
import type { Route } from './routes.ts';

/** Archives that are read or written at once; each costs a disk's whole attention. */
const ARCHIVES_MAX = 4;
/** A sender that sends nothing for so long, or a reader that takes nothing, is gone; milliseconds. */
const SILENCE_MS = 60_000;
/** What a failed sender still sends is let through for so long, so that it hears why; milliseconds. */
const DRAIN_MS = 2_000;

export function archiveRoutes({ archives, clock }: Pick<AdminDeps, 'archives' | 'clock'>): [string, Route][] {
  if (archives === undefined) return [];
  const inTurn = turns();
  const take: Route = {
    method: 'POST',
    isChange: true,
    body: 'archive',
    handle: (request, response) => inTurn(() => takeArchive({ read: archives.import, clock }, request, response)),
  };
  const give: Route = {
    method: 'POST',
    isChange: true,
    handle: (request, response) => inTurn(() => giveArchive(archives.export, request, response)),
  };
  return [
    ['/api/v1/import', take],
    ['/api/v1/export', give],
  ];
}

function turns(): (work: () => Promise<void>) => Promise<void> {
  let running = 0;
  return async (work) => {
    if (running >= ARCHIVES_MAX) {
      throw new CodedError('RESOURCE_EXHAUSTED', `${ARCHIVES_MAX} archives are worked on already`);
    }
    running += 1;
    try {
      await work();
    } finally {
      running -= 1;
    }
  };
}

/** `?name=REF` names the only image, `?pin=DURATION` keeps it at least so long. */
async function takeArchive(
  { read, clock }: { read: Import; clock: Clock },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const query = new URL(request.url ?? '', 'http://node').searchParams;
  const [name, pin] = [query.get('name'), query.get('pin')];
  const reader = whileRead(response);
  const steps = read(bytesOf(request), {
    signal: reader.signal,
    ...(name !== null && { name: parseReference(name) }),
    ...(pin !== null && { pinUntilMs: clock.now() + parseDuration(pin) }),
  });
  try {
    await sendLiveLines(response, linesOf(steps));
  } finally {
    reader.over();
    // A connection that is closed under its sender loses the answer with it.
    letThrough(request);
  }
}

async function* linesOf(steps: AsyncIterable<ImportStep>): AsyncGenerator<object> {
  for await (const step of steps) yield stepJson(step);
  yield { kind: 'done' };
}

function letThrough(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.resume();
  const timer = setTimeout(() => request.destroy(), DRAIN_MS);
  request.once('close', () => clearTimeout(timer));
}

function stepJson(step: ImportStep): object {
  if (step.kind === 'blob') {
    const { kind, digest, size, entry, isNew } = step;
    return { kind, digest, size, entry, is_new: isNew };
  }
  const { kind, names, descriptor, blobs, bytes } = step;
  return { kind, names, digest: descriptor.digest, media_type: descriptor.mediaType, blobs, bytes };
}

/** The body, as long as it goes on coming. @throws CodedError CANCELLED when it does not */
async function* bytesOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  const chunks = request.iterator({ destroyOnReturn: false });
  for (;;) {
    const timer = setTimeout(() => request.destroy(), SILENCE_MS);
    const next = await chunks.next().catch((error: unknown) => {
      throw new CodedError('CANCELLED', 'Sender went away, or sent nothing for a minute', { cause: error });
    });
    clearTimeout(timer);
    if (next.done === true) break;
    yield next.value;
  }
  if (!request.complete) throw new CodedError('CANCELLED', 'Sender went away');
}

/** Until the first byte a failure is an HTTP status; afterwards the connection is cut, so that nobody takes half an archive for a whole one. */
async function giveArchive(write: Export, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { ref, platform } = await readJsonObject(request);
  if (typeof ref !== 'string') throw new CodedError('INVALID_ARGUMENT', 'Body has no text "ref"');
  if (platform !== undefined && typeof platform !== 'string') {
    throw new CodedError('INVALID_ARGUMENT', 'Body has a "platform" that is no text');
  }
  if (platform !== undefined) parsePlatform(platform);
  const reader = whileRead(response);
  try {
    const chunks = write({ reference: parseReference(ref), platform }, { signal: reader.signal });
    for await (const chunk of chunks) {
      if (!response.headersSent) response.writeHead(200, { ...COMMON_HEADERS, 'content-type': 'application/x-tar' });
      if (!response.write(chunk)) await drained(response, reader.signal);
    }
    response.end();
  } finally {
    reader.over();
  }
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(SILENCE_MS)]);
  await new Promise<void>((resolve, reject) => {
    const onDrain = () => {
      over.removeEventListener('abort', onAbort);
      resolve();
    };
    const onAbort = () => {
      response.off('drain', onDrain);
      reject(new CodedError('CANCELLED', 'Whoever asked has stopped reading'));
    };
    response.once('drain', onDrain);
    over.addEventListener('abort', onAbort, { once: true });
    if (over.aborted) onAbort();
  });
}
