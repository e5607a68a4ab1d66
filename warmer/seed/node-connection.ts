/** One node's admin address over HTTP: a request, and one JSON value a line for an answer. */
import { formatHostPort, type HostPort, isLoopback } from '../../core/runtime/config-address.ts';
import { CodedError, ERROR_CODES, type ErrorCode, errnoOf, messageOf } from '../../core/runtime/errors.ts';
import { linesOf } from '../../core/runtime/text-lines.ts';
import { field, textField } from '../sources/extract/values.ts';

/** A running answer says something every five seconds. */
const SILENCE_MS = 30_000;

export interface NodeCall {
  readonly signal: AbortSignal;
}

export class NodeConnection {
  readonly isLoopback: boolean;
  readonly #address: string;
  readonly #token: string | undefined;

  /** @param token what `admin.token_file` of that node holds */
  constructor(node: HostPort, token: string | undefined) {
    this.#address = formatHostPort(node);
    this.isLoopback = isLoopback(node.host);
    this.#token = token;
  }

  /** Nothing of it shows itself in a log or in JSON. */
  toJSON(): string {
    return this.#address;
  }

  get(path: string, call: NodeCall): AsyncGenerator<unknown> {
    return this.#lines(path, { method: 'GET' }, call);
  }

  post(path: string, body: unknown, call: NodeCall): AsyncGenerator<unknown> {
    const headers = {
      'content-type': 'application/json',
      ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
    };
    return this.#lines(path, { method: 'POST', headers, body: JSON.stringify(body) }, call);
  }

  async *#lines(path: string, init: RequestInit, { signal }: NodeCall): AsyncGenerator<unknown> {
    const silence = new AbortController();
    const giveUp = () => silence.abort(new Error('It has gone silent'));
    let timer = setTimeout(giveUp, SILENCE_MS);
    try {
      const both = AbortSignal.any([signal, silence.signal]);
      const response = await fetch(`http://${this.#address}${path}`, { ...init, redirect: 'error', signal: both });
      if (!response.ok) throw await this.#refusal(response);
      for await (const line of linesOf(response.body ?? [])) {
        clearTimeout(timer);
        yield parseLine(line);
        timer = setTimeout(giveUp, SILENCE_MS);
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof CodedError ? error : this.#unanswered(error);
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  async #refusal(response: Response): Promise<CodedError> {
    const answer: unknown = await response.json().catch(() => undefined);
    const said = textField(answer, 'error', 'code');
    const code: ErrorCode = ERROR_CODES.find((known) => known === said) ?? 'INTERNAL';
    const message = textField(answer, 'error', 'message') ?? `It answered ${response.status}`;
    return new CodedError(code, `Node at ${this.#address}: ${message}`);
  }

  #unanswered(error: unknown): CodedError {
    const cause = field(error, 'cause') ?? (error instanceof Error ? (error.cause ?? error) : error);
    const hint = errnoOf(cause) === 'ECONNREFUSED' ? '; is "shoal serve" running, with this as its admin.listen?' : '';
    const text = `Node at ${this.#address} does not answer: ${messageOf(cause)}${hint}`;
    return new CodedError('UNAVAILABLE', text, { cause: error });
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new CodedError('DATA_LOSS', 'The node answered with a line that is not JSON', { cause: error });
  }
}
