/** An answer of JSON lines that takes as long as it takes: its reader hears something now and then, and its end is always said. */
import type { ServerResponse } from 'node:http';
import { CodedError } from '../../core/runtime/errors.ts';
import { errorJson } from './json-answers.ts';
import { startJsonLines } from './json-lines.ts';

/** So often the reader hears something: its proof that we live, milliseconds. */
const SILENCE_MS = 5_000;

/** Aborts when the reader goes away. The caller ends it when all is said. */
export function whileRead(response: ServerResponse): { readonly signal: AbortSignal; over(): void } {
  const left = new AbortController();
  const onClose = () => left.abort(new CodedError('CANCELLED', 'Whoever asked went away'));
  response.once('close', onClose);
  return { signal: left.signal, over: () => void response.off('close', onClose) };
}

/** Writes each line as it comes; what breaks the lines off is the last of them. @throws what broke them off */
export async function sendLiveLines(response: ServerResponse, lines: AsyncIterable<unknown>): Promise<void> {
  const out = startJsonLines(response);
  const heartbeat = setInterval(() => void out.write({ kind: 'waiting' }).catch(() => undefined), SILENCE_MS);
  // Also when what runs takes its time to stop.
  response.once('close', () => clearInterval(heartbeat));
  try {
    for await (const line of lines) await out.write(line);
  } catch (error) {
    await out.write({ kind: 'failed', ...errorJson(error) }).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(heartbeat);
    out.end();
  }
}
