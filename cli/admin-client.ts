/** A node's admin address as the command line asks it. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type HostPort, formatHostPort, parseHostPort } from '../core/runtime/config-address.ts';
import { CodedError, ERROR_CODES, type ErrorCode, errnoOf, messageOf } from '../core/runtime/errors.ts';
import { linesOf } from '../core/runtime/text-lines.ts';

export interface AdminOptions {
  readonly admin: string;
  readonly tokenFile?: string;
}

export interface AdminClient {
  readonly address: string;
  /** One JSON document. @throws CodedError with the node's own code, UNAVAILABLE when it does not answer */
  get(path: string): Promise<unknown>;
  /** One JSON value a line. @throws CodedError as `get`, also while it is read */
  lines(path: string): AsyncGenerator<unknown>;
  /** Asks for a change; answers as `lines`. */
  post(path: string, body: unknown): AsyncGenerator<unknown>;
}

const ADMIN_ADDRESS = '127.0.0.1:7950';
/** The node answers from memory. */
const ANSWER_TIMEOUT_MS = 10_000;
/** A pull's first line waits for the registry. */
const CHANGE_TIMEOUT_MS = 120_000;
/** A running pull says something every five seconds. */
const SILENCE_MS = 30_000;

/** `--admin`, and for changes `--token-file`. */
export function withAdminOptions(command: Command, { isChange = false } = {}): Command {
  command.option('--admin <host:port>', 'the admin address of the node to ask', ADMIN_ADDRESS);
  return isChange ? command.option('--token-file <file>', 'what admin.token_file holds on that node') : command;
}

/** @throws CodedError INVALID_ARGUMENT for an address that is none, or a token file that cannot be read */
export async function createAdminClient(options: AdminOptions): Promise<AdminClient> {
  const address = formatHostPort(addressOf(options.admin));
  const token = options.tokenFile === undefined ? undefined : await readToken(options.tokenFile);
  const ask = (path: string, init: RequestInit) => askNode(`http://${address}${path}`, address, init);
  return {
    address,
    get: async (path) => (await ask(path, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })).json(),
    lines: (path) => readLines(address, (signal) => ask(path, { signal }), ANSWER_TIMEOUT_MS),
    post: (path, body) =>
      readLines(
        address,
        (signal) =>
          ask(path, {
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            },
            body: JSON.stringify(body),
            signal,
          }),
        CHANGE_TIMEOUT_MS,
      ),
  };
}

function addressOf(text: string): HostPort {
  try {
    return parseHostPort(text);
  } catch (error) {
    throw new CodedError('INVALID_ARGUMENT', `--admin: ${messageOf(error)}`, { cause: error });
  }
}

async function readToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CodedError('INVALID_ARGUMENT', `--token-file "${file}": ${messageOf(error)}`, { cause: error });
  });
  return text.trim();
}

async function askNode(url: string, address: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'error' }).catch((error: unknown) => {
    throw unanswered(address, error);
  });
  if (response.ok) return response;
  throw errorIn(await response.json().catch(() => undefined), `Node at ${address} answered ${response.status}`);
}

async function* readLines(
  address: string,
  start: (signal: AbortSignal) => Promise<Response>,
  firstMs: number,
): AsyncGenerator<unknown> {
  const silence = new AbortController();
  const giveUp = () => silence.abort(new Error('It has gone silent'));
  let timer = setTimeout(giveUp, firstMs);
  try {
    const { body } = await start(silence.signal);
    for await (const line of linesOf(body ?? [])) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, SILENCE_MS);
      yield JSON.parse(line);
    }
  } catch (error) {
    throw error instanceof CodedError ? error : unanswered(address, error);
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

/** The node's own words out of `{ "error": { "code", "message" } }`. */
export function errorIn(answer: unknown, otherwise: string): CodedError {
  const { error } = Object.fromEntries(Object.entries(answer ?? {}));
  const { code, message } = Object.fromEntries(Object.entries(error ?? {}));
  const known: ErrorCode | undefined = ERROR_CODES.find((name) => name === code);
  return new CodedError(known ?? 'INTERNAL', typeof message === 'string' ? message : otherwise);
}

function unanswered(address: string, error: unknown): CodedError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const hint = errnoOf(cause) === 'ECONNREFUSED' ? '; is "shoal serve" running, with this as its admin.listen?' : '';
  return new CodedError('UNAVAILABLE', `Node at ${address} does not answer: ${messageOf(cause)}${hint}`, {
    cause: error,
  });
}
