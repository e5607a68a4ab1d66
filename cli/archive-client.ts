/** Archives to and from a node's admin address: bodies of any length, which nothing holds whole. */
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { formatHostPort, parseHostPort } from '../core/runtime/config-address.ts';
import { CodedError, errnoOf, messageOf } from '../core/runtime/errors.ts';
import { type AdminOptions, errorIn } from './admin-client.ts';

/** A node says something every five seconds while it works, and sends on while it is read. */
const SILENCE_MS = 120_000;
/** Of an answer that is an error. */
const ERROR_BYTES_MAX = 64 * 1024;

export interface ArchiveCall {
  readonly path: string;
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Sends a body while the answer is read already: a node tells what is wrong long before the end of an archive.
 * @throws CodedError with the node's own code, UNAVAILABLE when it does not answer, and what the body throws
 */
export async function callWithBody(options: AdminOptions, call: ArchiveCall): Promise<IncomingMessage> {
  const { host, port } = parseHostPort(options.admin);
  const address = formatHostPort({ host, port });
  const token = options.tokenFile === undefined ? undefined : (await readFile(options.tokenFile, 'utf8')).trim();
  const request = httpRequest({
    host,
    port,
    path: call.path,
    method: 'POST',
    timeout: SILENCE_MS,
    headers: { 'content-type': call.contentType, ...(token && { authorization: `Bearer ${token}` }) },
  });
  request.once('timeout', () => request.destroy(new Error('It has gone silent')));
  const sent = send(call.body, request);
  // Told by the answer, or below.
  sent.catch(() => undefined);
  const answered = once(request, 'response');
  try {
    const [response]: IncomingMessage[] = await Promise.race([answered, sent.then(() => answered)]);
    if (response === undefined) throw new Error('It gave no answer');
    if (response.statusCode === 200) return response;
    throw errorIn(await jsonOf(response), `Node at ${address} answered ${response.statusCode}`);
  } catch (error) {
    request.destroy();
    if (error instanceof CodedError) throw error;
    const hint = errnoOf(error) === 'ECONNREFUSED' ? '; is "shoal serve" running, with this as its admin.listen?' : '';
    throw new CodedError('UNAVAILABLE', `Node at ${address} does not answer: ${messageOf(error)}${hint}`, {
      cause: error,
    });
  }
}

/** Ends with the body, or when the node wants no more of it. @throws what the body throws */
async function send(body: AsyncIterable<Uint8Array>, request: ReturnType<typeof httpRequest>): Promise<void> {
  const gone = new Promise<'gone'>((resolve) => request.once('close', () => resolve('gone')));
  for await (const chunk of body) {
    if (request.destroyed) return;
    if (request.write(chunk)) continue;
    const drained = new AbortController();
    const next = await Promise.race([once(request, 'drain', { signal: drained.signal }).catch(() => 'gone'), gone]);
    drained.abort();
    if (next === 'gone') return;
  }
  request.end();
}

async function jsonOf(response: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.length > ERROR_BYTES_MAX) break;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
