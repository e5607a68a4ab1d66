/** `POST /api/v1/pull`: an image brought here while the caller watches, one JSON line for each step. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parsePlatform } from '../../core/oci/platform.ts';
import { formatReference, parseReference } from '../../core/oci/reference.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Pull, PullProgress } from './admin.ts';
import { errorJson } from './json-answers.ts';
import { type JsonLines, startJsonLines } from './json-lines.ts';
import { readJsonObject } from './request-body.ts';
import { pullJson } from './status-json.ts';

/** Pulls that callers wait for at once; each holds flights of its own. */
export const PULLS_MAX = 16;
/** So often the caller hears something, whatever the registry does: its proof that we live. */
export const PULL_SILENCE_MS = 5_000;

export type PullHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Aborts the pull when the caller goes away. */
export function createPullHandler(pull: Pull): PullHandler {
  let running = 0;
  return async (request, response) => {
    const { ref, platform } = await readPullRequest(request);
    if (running >= PULLS_MAX) throw new CodedError('RESOURCE_EXHAUSTED', `${PULLS_MAX} pulls run already`);
    running += 1;
    const left = new AbortController();
    response.once('close', () => left.abort(new CodedError('CANCELLED', 'Whoever asked for the pull went away')));
    try {
      await stream(pull(ref, platform, { signal: left.signal }), response);
    } finally {
      running -= 1;
      left.abort();
    }
  };
}

async function readPullRequest(request: IncomingMessage): Promise<{ ref: string; platform: string | undefined }> {
  const { ref, platform } = await readJsonObject(request);
  if (typeof ref !== 'string') throw new CodedError('INVALID_ARGUMENT', 'Body has no text "ref"');
  if (platform !== undefined && typeof platform !== 'string') {
    throw new CodedError('INVALID_ARGUMENT', 'Body has a "platform" that is no text');
  }
  if (platform !== undefined) parsePlatform(platform);
  return { ref: formatReference(parseReference(ref)), platform };
}

/** Until the first step a failure is an HTTP status; afterwards it is the last line. */
async function stream(steps: AsyncIterable<PullProgress>, response: ServerResponse): Promise<void> {
  const iterator = steps[Symbol.asyncIterator]();
  let step = await iterator.next();
  const lines = startJsonLines(response);
  const heartbeat = setInterval(() => void lines.write({ kind: 'waiting' }).catch(() => undefined), PULL_SILENCE_MS);
  // Also when the pull itself takes its time to stop.
  response.once('close', () => clearInterval(heartbeat));
  try {
    for (; !step.done; step = await iterator.next()) await lines.write(pullJson(step.value));
    await lines.write({ kind: 'done' });
  } catch (error) {
    await sayFailed(lines, error);
    throw error;
  } finally {
    clearInterval(heartbeat);
    lines.end();
    await iterator.return?.();
  }
}

async function sayFailed(lines: JsonLines, error: unknown): Promise<void> {
  await lines.write({ kind: 'failed', ...errorJson(error) }).catch(() => undefined);
}
