/** One call on its stream: what the calls' code sees of HTTP/2, in gRPC's words. */
import type { GrpcStatus } from '../grpc-status.ts';

/** The answering side. After `end`, or once the client is gone, everything is a no-op. */
export interface CallStream {
  /** True once the client reset the stream, its connection is lost, or the call has ended. */
  readonly isOver: boolean;
  /** The only message and the good end, in one write. `parts` follow each other in the message; they are not kept. */
  answer(parts: readonly Uint8Array[]): void;
  /** One message; resolves when the next one may come. */
  send(parts: readonly Uint8Array[]): Promise<void>;
  end(status: GrpcStatus): void;
}

/** The asking side. */
export interface CallHandler {
  /**
   * A whole message; the next one comes when the returned promise has resolved, and its memory is used again then. Without a
   * promise the message is the handler's to keep. Must not throw or reject.
   */
  onMessage(message: Buffer): Promise<void> | undefined;
  /** The client has sent everything and the last message was taken. */
  onEnd(): void;
  /** The client reset the stream or its connection is lost. Not called after the call has ended. */
  onGone(): void;
}

/** Makes the handler of a call; undefined when there is no such call. */
export type OpenCall = (path: string, stream: CallStream) => CallHandler | undefined;
