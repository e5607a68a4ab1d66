/** The nine calls of the content service as HTTP/2 streams: which path is which call, and how each takes its messages. */
import { CodedError } from '../../../core/runtime/errors.ts';
import type { Logger } from '../../../core/runtime/log.ts';
import { readResponseHead } from '../codec.ts';
import type { ReadRequest, WriteRequest } from '../content-messages.ts';
import { type ContentMethods, loadContentMethods, type Method } from '../content-methods.ts';
import type { ContentService, WriteSession } from '../content-service.ts';
import { GRPC_OK, GRPC_UNIMPLEMENTED, grpcStatusOf } from '../grpc-status.ts';
import type { CallHandler, CallStream, OpenCall } from './call-stream.ts';

const TWICE = new CodedError('INVALID_ARGUMENT', 'The call has more than one request');
const OK = { code: GRPC_OK, details: '' };

type Opener = (stream: CallStream) => CallHandler;

/** @returns what the endpoint calls for each new stream */
export function contentCalls(service: ContentService, log: Logger): OpenCall {
  const openers = openersOf(loadContentMethods(), service, log);
  return (path, stream) => {
    const opener = openers.get(path);
    if (opener !== undefined) return opener(stream);
    stream.end({ code: GRPC_UNIMPLEMENTED, details: `There is no call "${path.slice(0, 200)}"` });
    return undefined;
  };
}

function openersOf(methods: ContentMethods, service: ContentService, log: Logger): ReadonlyMap<string, Opener> {
  return new Map([
    [methods.info.path, unary(methods.info, service.info)],
    [methods.update.path, unary(methods.update, service.update)],
    [methods.delete.path, unary(methods.delete, service.delete)],
    [methods.status.path, unary(methods.status, service.status)],
    [methods.listStatuses.path, unary(methods.listStatuses, service.listStatuses)],
    [methods.abort.path, unary(methods.abort, service.abort)],
    [methods.list.path, listCall(methods.list, service)],
    [methods.read.path, (stream) => new ReadCall(stream, methods.read, service)],
    [methods.write.path, (stream) => new WriteCall(stream, methods.write, { session: service.write(), log })],
  ]);
}

function unary<Request, Response>(
  method: Method<Request, Response>,
  handle: (request: Request) => Response | Promise<Response>,
): Opener {
  return (stream) =>
    new SingleCall(stream, (message) => {
      const answer = (response: Response) => stream.answer([method.responseSerialize(response)]);
      const response = handle(method.requestDeserialize(message));
      if (!(response instanceof Promise)) answer(response);
      else response.then(answer).catch((error: unknown) => stream.end(grpcStatusOf(error)));
    });
}

function listCall(method: ContentMethods['list'], service: ContentService): Opener {
  return (stream) =>
    new SingleCall(stream, (message) => {
      const responses = service.list(method.requestDeserialize(message));
      const parts = async function* () {
        for (const response of responses) yield [method.responseSerialize(response)];
      };
      void sendAll(stream, parts());
    });
}

/** A call with one request: it is handled when the client has sent it and nothing more. */
class SingleCall implements CallHandler {
  readonly #stream: CallStream;
  readonly #handle: (message: Buffer) => void;
  #message: Buffer | undefined;

  constructor(stream: CallStream, handle: (message: Buffer) => void) {
    this.#stream = stream;
    this.#handle = handle;
  }

  onMessage(message: Buffer): undefined {
    if (this.#message !== undefined) this.#stream.end(grpcStatusOf(TWICE));
    this.#message = message;
  }

  onEnd(): void {
    const message = this.#message;
    try {
      if (message === undefined) throw new CodedError('INVALID_ARGUMENT', 'The call has no request');
      this.#handle(message);
    } catch (error) {
      this.#stream.end(grpcStatusOf(error));
    }
  }

  onGone(): void {
    this.#message = undefined;
  }
}

/** Read: what lies in memory is answered in the turn in which it was asked for. */
class ReadCall implements CallHandler {
  readonly #stream: CallStream;
  readonly #method: ContentMethods['read'];
  readonly #service: ContentService;
  #request: ReadRequest | undefined;
  #gone: AbortController | undefined;

  constructor(stream: CallStream, method: ContentMethods['read'], service: ContentService) {
    this.#stream = stream;
    this.#method = method;
    this.#service = service;
  }

  onMessage(message: Buffer): undefined {
    try {
      this.#request = this.#method.requestDeserialize(message);
    } catch (error) {
      this.#stream.end(grpcStatusOf(error));
    }
  }

  onEnd(): void {
    const request = this.#request;
    try {
      if (request === undefined) throw new CodedError('INVALID_ARGUMENT', 'The call has no request');
      const data = this.#service.readNow(request);
      if (data !== undefined) this.#stream.answer([readResponseHead({ offset: 0, data }), data]);
      else this.#readOn(request);
    } catch (error) {
      this.#stream.end(grpcStatusOf(error));
    }
  }

  onGone(): void {
    this.#gone?.abort();
  }

  #readOn(request: ReadRequest): void {
    const gone = new AbortController();
    this.#gone = gone;
    const responses = this.#service.read(request, { signal: gone.signal });
    const parts = async function* () {
      for await (const response of responses) yield [readResponseHead(response), response.data];
    };
    void sendAll(this.#stream, parts());
  }
}

async function sendAll(stream: CallStream, messages: AsyncIterable<readonly Uint8Array[]>): Promise<void> {
  try {
    for await (const parts of messages) {
      if (stream.isOver) return;
      await stream.send(parts);
    }
    stream.end(OK);
  } catch (error) {
    stream.end(grpcStatusOf(error));
  }
}

/** Write: one message after another, each answered before the next is taken. */
class WriteCall implements CallHandler {
  readonly #stream: CallStream;
  readonly #method: ContentMethods['write'];
  readonly #session: WriteSession;
  readonly #log: Logger;

  constructor(stream: CallStream, method: ContentMethods['write'], deps: { session: WriteSession; log: Logger }) {
    this.#stream = stream;
    this.#method = method;
    this.#session = deps.session;
    this.#log = deps.log;
  }

  async onMessage(message: Buffer): Promise<void> {
    try {
      const request: WriteRequest = this.#method.requestDeserialize(message);
      const response = await this.#session.handle(request);
      await this.#stream.send([this.#method.responseSerialize(response)]);
      if (this.#session.isDone()) await this.#finish(OK);
    } catch (error) {
      await this.#finish(grpcStatusOf(error));
    }
  }

  onEnd(): void {
    void this.#finish(OK);
  }

  onGone(): void {
    void this.#close();
  }

  /** The ref is free before the client hears that the stream has ended. */
  async #finish(status: { code: number; details: string }): Promise<void> {
    await this.#close();
    this.#stream.end(status);
  }

  async #close(): Promise<void> {
    try {
      await this.#session.close();
    } catch (error) {
      this.#log.error({ err: error }, 'A Write stream could not be closed');
    }
  }
}
