/** The content service behind @grpc/grpc-js. */
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Logger } from '../../core/runtime/log.ts';
import { loadContentMethods } from './content-methods.ts';
import type {
  FilterRequest,
  ListContentResponse,
  ReadRequest,
  ReadResponse,
  WriteRequest,
  WriteResponse,
} from './content-messages.ts';
import type { ContentService } from './content-service.ts';
import { type Endpoint, MESSAGE_BYTES_MAX, STREAMS_MAX } from './endpoint.ts';
import { grpcStatusOf } from './grpc-status.ts';

/** Bytes in flight to a stream before its reader has to say more; the default of 64 KiB costs twice the time. */
const FLOW_CONTROL_WINDOW = 8 * 1024 * 1024;

const SERVER_OPTIONS = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': STREAMS_MAX,
  'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW,
};

/**
 * Go's client ends each 32 KiB Read by a reset once it has its bytes, and containerd unpacks with thousands of them a second.
 * node:http2 takes 33 resets a second for an attack (CVE-2023-44487) and ends the connection. grpc-js passes no such option
 * on, so it is set where the server keeps its own; only root reaches the socket.
 */
const RESET_OPTIONS = { streamResetBurst: 1_000_000, streamResetRate: 1_000_000 };

/** @param service what each call means */
export function createGrpcJsEndpoint(service: ContentService, log: Logger): Endpoint {
  const server = new Server(SERVER_OPTIONS);
  Object.assign(Reflect.get(server, 'commonServerOptions'), RESET_OPTIONS);
  server.addService({ ...loadContentMethods() }, implementation(service, log));
  return {
    listen: (path) =>
      new Promise((resolve, reject) => {
        server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
          error === null ? resolve() : reject(error),
        );
      }),
    drain: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
    destroy: () => server.forceShutdown(),
  };
}

function implementation(service: ContentService, log: Logger): UntypedServiceImplementation {
  return {
    info: unary(service.info),
    update: unary(service.update),
    delete: unary(service.delete),
    status: unary(service.status),
    listStatuses: unary(service.listStatuses),
    abort: unary(service.abort),
    list: (call: ServerWritableStream<FilterRequest, ListContentResponse>) => list(call, service),
    read: (call: ServerWritableStream<ReadRequest, ReadResponse>) => read(call, service),
    write: (call: ServerDuplexStream<WriteRequest, WriteResponse>) => write(call, service, log),
  };
}

function unary<Request>(handle: (request: Request) => object | Promise<object>): handleUnaryCall<Request, object> {
  return (call, answer) => {
    try {
      const result = handle(call.request);
      if (result instanceof Promise) result.then((value) => answer(null, value), fail);
      else answer(null, result);
    } catch (error) {
      fail(error);
    }
    function fail(error: unknown): void {
      answer(grpcStatusOf(error));
    }
  };
}

function list(call: ServerWritableStream<FilterRequest, ListContentResponse>, service: ContentService): void {
  try {
    void stream(call, service.list(call.request));
  } catch (error) {
    call.emit('error', grpcStatusOf(error));
  }
}

function read(call: ServerWritableStream<ReadRequest, ReadResponse>, service: ContentService): void {
  try {
    const data = service.readNow(call.request);
    if (data !== undefined) {
      call.write({ offset: 0, data });
      call.end();
      return;
    }
  } catch (error) {
    call.emit('error', grpcStatusOf(error));
    return;
  }
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort());
  void stream(call, service.read(call.request, { signal: gone.signal }));
}

/** Sends messages as fast as the client takes them. */
async function stream<Request, Message>(
  call: ServerWritableStream<Request, Message>,
  messages: Iterable<Message> | AsyncIterable<Message>,
): Promise<void> {
  try {
    for await (const message of messages) {
      if (call.cancelled) return;
      await written(call, message);
    }
    call.end();
  } catch (error) {
    if (!call.cancelled) call.emit('error', grpcStatusOf(error));
  }
}

/** Resolves when a message is serialized and on its way, so that its memory may be used again, or the call is over. */
function written<Request, Message>(call: ServerWritableStream<Request, Message>, message: Message): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      call.off('cancelled', settle);
      resolve();
    };
    call.once('cancelled', settle);
    call.write(message, settle);
  });
}

function write(call: ServerDuplexStream<WriteRequest, WriteResponse>, service: ContentService, log: Logger): void {
  const session = service.write();
  const close = () =>
    session.close().catch((error: unknown) => log.error({ err: error }, 'A Write stream could not be closed'));
  const fail = async (error: unknown) => {
    await close();
    if (!call.cancelled) call.emit('error', grpcStatusOf(error));
  };
  const answer = async (request: WriteRequest) => {
    const response = await session.handle(request);
    if (call.cancelled) return;
    call.write(response);
    if (!session.isDone()) return call.resume();
    await close();
    call.end();
  };
  call.on('data', (request: WriteRequest) => {
    call.pause();
    answer(request).catch(fail);
  });
  call.on('end', () => void close().then(() => call.end()));
  call.on('cancelled', () => void close());
  call.on('error', () => void close());
}
