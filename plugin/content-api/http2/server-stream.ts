/** A stream's state on the server: what came in and is not yet taken, and what goes out. */
import { CodedError } from '../../../core/runtime/errors.ts';
import { GRPC_OK, type GrpcStatus, grpcStatusOf } from '../grpc-status.ts';
import { trailersOf } from './answers.ts';
import type { CallHandler, CallStream } from './call-stream.ts';
import { STREAM_WINDOW } from './limits.ts';
import { MESSAGE_HEAD_BYTES, MessageAssembler } from './message-assembler.ts';
import type { MessagePool } from './message-pool.ts';
import type { Outgoing, Sender } from './sender.ts';

export interface ServerStreamDeps {
  readonly sender: Sender;
  readonly pool: MessagePool;
  /** Lets the client send so many bytes more on this stream. */
  openWindow(stream: number, increment: number): void;
  /** Resolves when the socket has taken what was written to it. */
  socketDrained(): Promise<void>;
  /** Bytes kept for this connection changed. */
  buffered(change: number): void;
}

export class ServerStream implements CallStream {
  readonly id: number;
  readonly outgoing: Outgoing;
  readonly #deps: ServerStreamDeps;
  readonly #assembler: MessageAssembler;
  #handler: CallHandler | undefined;
  /** Messages that came while the handler was busy. */
  #waiting: Buffer[] = [];
  #isBusy = false;
  #hasClientEnded = false;
  #isEndTold = false;
  /** What the client may send now, and what it was not told yet that it may. */
  #window = STREAM_WINDOW;
  #unannounced = 0;
  #bufferedBytes = 0;

  constructor(id: number, deps: ServerStreamDeps) {
    this.id = id;
    this.#deps = deps;
    this.#assembler = new MessageAssembler(deps.pool);
    this.outgoing = deps.sender.open(id);
  }

  get isOver(): boolean {
    return this.outgoing.hasEnded || this.outgoing.trailers !== undefined;
  }

  get hasClientEnded(): boolean {
    return this.#hasClientEnded;
  }

  start(handler: CallHandler): void {
    this.#handler = handler;
  }

  /** @returns false when the client sent more than its window allows */
  receive(data: Buffer, frameBytes: number): boolean {
    this.#window -= frameBytes;
    if (this.#window < 0) return false;
    this.#unannounced += frameBytes;
    if (this.isOver) return true;
    try {
      this.#assembler.push(data, (message) => this.#waiting.push(message));
    } catch (error) {
      this.#fail(error);
      return true;
    }
    this.#deliver();
    this.#account();
    this.#announce();
    return true;
  }

  receiveEnd(): void {
    this.#hasClientEnded = true;
    if (!this.#assembler.isAtBoundary && !this.isOver) {
      this.#fail(new CodedError('INVALID_ARGUMENT', 'The stream ended within a message'));
    }
    this.#deliver();
  }

  /** The client is gone: nothing more is sent. */
  cancel(): void {
    const wasOver = this.isOver;
    this.#deps.sender.forget(this.outgoing);
    this.release();
    if (!wasOver) this.#handler?.onGone();
  }

  /** Gives back what was kept. */
  release(): void {
    this.#waiting = [];
    this.#deps.buffered(-this.#bufferedBytes);
    this.#bufferedBytes = 0;
  }

  answer(parts: readonly Uint8Array[]): void {
    if (this.isOver) return;
    this.#deps.sender.send(this.outgoing, framed(parts), trailersOf({ code: GRPC_OK, details: '' }, false));
  }

  async send(parts: readonly Uint8Array[]): Promise<void> {
    if (this.isOver) return;
    this.#deps.sender.send(this.outgoing, framed(parts));
    if (this.outgoing.pendingBytes > 0) {
      await new Promise<void>((resolve) => {
        this.outgoing.onDrained = resolve;
      });
    }
    await this.#deps.socketDrained();
  }

  end(status: GrpcStatus): void {
    if (this.isOver) return;
    const isOnly = !this.outgoing.hasSentHeaders && this.outgoing.pendingBytes === 0;
    this.#deps.sender.send(this.outgoing, [], trailersOf(status, isOnly));
  }

  #fail(error: unknown): void {
    this.end(grpcStatusOf(error));
    this.#handler?.onGone();
  }

  #deliver(): void {
    while (!this.#isBusy && !this.isOver) {
      const message = this.#waiting.shift();
      if (message === undefined) break;
      const taken = this.#handler?.onMessage(message);
      if (taken === undefined) continue;
      this.#isBusy = true;
      void taken.then(() => {
        this.#isBusy = false;
        this.#deps.pool.give(message);
        this.#deliver();
        this.#account();
        this.#announce();
      });
    }
    if (this.#isBusy || !this.#hasClientEnded || this.#isEndTold || this.isOver) return;
    this.#isEndTold = true;
    this.#handler?.onEnd();
  }

  #account(): void {
    if (this.isOver) return;
    const now = this.#waiting.reduce((sum, message) => sum + message.length, this.#assembler.bufferedBytes);
    this.#deps.buffered(now - this.#bufferedBytes);
    this.#bufferedBytes = now;
  }

  /** While messages wait, the client is not told to go on. */
  #announce(): void {
    if (this.#unannounced < STREAM_WINDOW / 2 || this.#waiting.length > 0) return;
    if (this.#hasClientEnded || this.isOver) return;
    this.#deps.openWindow(this.id, this.#unannounced);
    this.#window += this.#unannounced;
    this.#unannounced = 0;
  }
}

/** A message with gRPC's head before it. A short first part is joined to it, so that most answers have two parts. */
function framed(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const [first, ...rest] = parts;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.allocUnsafe(MESSAGE_HEAD_BYTES + (first?.length ?? 0));
  head[0] = 0;
  head.writeUInt32BE(length, 1);
  if (first !== undefined) head.set(first, MESSAGE_HEAD_BYTES);
  return [head, ...rest];
}
