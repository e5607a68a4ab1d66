/** How a call to containerd is made: with a deadline, the namespace in its metadata, and an end when its signal aborts. */
import { type CallOptions, Client, Metadata, type ServiceError, credentials } from '@grpc/grpc-js';
import { CodedError } from '../../core/runtime/errors.ts';
import { fromServiceError } from './containerd-errors.ts';
import type { ContainerdMethod } from './containerd-services.ts';

/** containerd's own bound for what it sends in one message (`defaults.DefaultMaxSendMsgSize`). */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

export interface CallSettings {
  /** Milliseconds from now. */
  readonly deadlineMs: number;
  /** Sent as `containerd-namespace`; containerd refuses most calls without one. */
  readonly namespace?: string;
  readonly signal: AbortSignal;
}

/** A client that connects when it is first called, and again soon after a loss. */
export function createClient(socket: string): Client {
  return new Client(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2000,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
  });
}

/** One question, one answer. Errors: CodedError as in `fromServiceError`; CANCELLED when the signal aborts. */
export function callOnce(
  client: Client,
  method: ContainerdMethod,
  request: object,
  settings: CallSettings,
): Promise<object> {
  return new Promise((resolve, reject) => {
    if (settings.signal.aborted) return reject(cancelled(method));
    const onAbort = () => call.cancel();
    const call = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadataOf(settings),
      optionsOf(settings),
      (error: ServiceError | null, response?: object) => {
        settings.signal.removeEventListener('abort', onAbort);
        if (error !== null) return reject(fromServiceError(error, method.path));
        resolve(response ?? {});
      },
    );
    settings.signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * One question, many answers: each as it comes. A consumer that stops early ends the call. Errors as `callOnce`, so a
 * list that was interrupted is never taken for a whole one.
 */
export async function* callStream(
  client: Client,
  method: ContainerdMethod,
  request: object,
  settings: CallSettings,
): AsyncGenerator<object> {
  if (settings.signal.aborted) throw cancelled(method);
  const call = client.makeServerStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    request,
    metadataOf(settings),
    optionsOf(settings),
  );
  const onAbort = () => call.cancel();
  settings.signal.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const response of call) yield response;
  } catch (error) {
    throw isServiceError(error) ? fromServiceError(error, method.path) : error;
  } finally {
    settings.signal.removeEventListener('abort', onAbort);
    call.cancel();
  }
}

function metadataOf(settings: CallSettings): Metadata {
  const metadata = new Metadata();
  if (settings.namespace !== undefined) metadata.set('containerd-namespace', settings.namespace);
  return metadata;
}

function optionsOf(settings: CallSettings): CallOptions {
  return { deadline: Date.now() + settings.deadlineMs };
}

function cancelled(method: ContainerdMethod): CodedError {
  return new CodedError('CANCELLED', `Call "${method.path}" to containerd was cancelled before it began`);
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}
