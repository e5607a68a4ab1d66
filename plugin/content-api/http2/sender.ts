/**
 * The sending half of a connection: frames within the peer's windows. An answer that fits goes out by one write (headers,
 * data, trailers); what does not fit waits in its stream until the peer opens a window.
 */
import { RESPONSE_HEADERS } from './answers.ts';
import {
  ConnectionError,
  DEFAULT_WINDOW,
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  H2_ERROR,
  putFrameHead,
  WINDOW_MAX,
} from './frames.ts';
import { FRAME_BYTES_MAX, SHORT_ANSWER_BYTES } from './limits.ts';
import type { Output } from './output.ts';

/** What one stream still has to send. */
export interface Outgoing {
  readonly id: number;
  /** Bytes that the peer takes on this stream; may be negative after a change of its settings. */
  window: number;
  hasSentHeaders: boolean;
  /** Parts of messages, in order; the first `partOffset` bytes of the first are sent. */
  parts: Uint8Array[];
  partOffset: number;
  /** Bytes of `parts` that are not sent. */
  pendingBytes: number;
  /** The block that ends the stream when everything before it is sent. */
  trailers: Buffer | undefined;
  /** Called when nothing is pending any more; set while a call waits. */
  onDrained: (() => void) | undefined;
  /** The trailers are out. */
  hasEnded: boolean;
}

export interface SenderDeps {
  readonly output: Output;
  /** The last frame of a stream was written. */
  onEnded(outgoing: Outgoing): void;
}

export class Sender {
  readonly #deps: SenderDeps;
  readonly #blocked = new Set<Outgoing>();
  #window = DEFAULT_WINDOW;
  #initialWindow = DEFAULT_WINDOW;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    deps.output.onRoom = () => this.#flushBlocked();
  }

  open(id: number): Outgoing {
    return {
      id,
      window: this.#initialWindow,
      hasSentHeaders: false,
      parts: [],
      partOffset: 0,
      pendingBytes: 0,
      trailers: undefined,
      onDrained: undefined,
      hasEnded: false,
    };
  }

  /** Queues a message's parts, and the end when `trailers` are given, and sends what fits. The parts are not copied before. */
  send(to: Outgoing, parts: readonly Uint8Array[], trailers?: Buffer): void {
    for (const part of parts) {
      if (part.length === 0) continue;
      to.parts.push(part);
      to.pendingBytes += part.length;
    }
    if (trailers !== undefined) to.trailers = trailers;
    this.#flush(to);
  }

  /** Drops what a stream had to send: it was reset. */
  forget(outgoing: Outgoing): void {
    this.#blocked.delete(outgoing);
    outgoing.parts = [];
    outgoing.pendingBytes = 0;
    outgoing.hasEnded = true;
    drained(outgoing);
  }

  /** @throws ConnectionError when the window grows beyond 2^31-1 */
  openWindow(increment: number): void {
    this.#window += increment;
    if (this.#window > WINDOW_MAX) throw tooWide();
    this.#flushBlocked();
  }

  openStreamWindow(outgoing: Outgoing, increment: number): void {
    outgoing.window += increment;
    if (outgoing.window > WINDOW_MAX) throw tooWide();
    if (this.#blocked.has(outgoing)) this.#flush(outgoing);
  }

  /** The peer changed the window that streams begin with; running streams are moved by the difference. */
  setInitialWindow(window: number, streams: Iterable<Outgoing>): void {
    const change = window - this.#initialWindow;
    this.#initialWindow = window;
    for (const outgoing of streams) outgoing.window += change;
    this.#flushBlocked();
  }

  #flushBlocked(): void {
    for (const outgoing of [...this.#blocked]) {
      if (this.#window <= 0) return;
      this.#flush(outgoing);
    }
  }

  #flush(to: Outgoing): void {
    const sendable = Math.max(0, Math.min(to.pendingBytes, this.#window, to.window));
    const bytes = to.pendingBytes <= SHORT_ANSWER_BYTES ? sendable : this.#deps.output.takeBulk(sendable);
    const isAll = bytes === to.pendingBytes;
    this.#blocked.delete(to);
    // Taken out and put in again, a stream waits behind the others.
    if (!isAll) this.#blocked.add(to);
    const trailers = isAll ? to.trailers : undefined;
    if (bytes === 0 && trailers === undefined) return;
    this.#putFrames(to, bytes, trailers);
    this.#deps.output.flush();
    if (isAll) drained(to);
    if (trailers === undefined) return;
    to.hasEnded = true;
    this.#deps.onEnded(to);
  }

  #putFrames(to: Outgoing, bytes: number, trailers: Buffer | undefined): void {
    if (bytes > 0 && !to.hasSentHeaders) {
      this.#putBlock(RESPONSE_HEADERS, to.id, FLAG.END_HEADERS);
      to.hasSentHeaders = true;
    }
    const { output } = this.#deps;
    for (let left = bytes; left > 0; ) {
      const size = Math.min(left, FRAME_BYTES_MAX);
      const start = output.reserve(FRAME_HEAD_BYTES + size);
      const at = putFrameHead(output.buffer, start, { length: size, type: FRAME.DATA, flags: 0, stream: to.id });
      takeParts(to, output.buffer, { at, size });
      left -= size;
    }
    if (trailers !== undefined) this.#putBlock(trailers, to.id, FLAG.END_HEADERS | FLAG.END_STREAM);
    to.window -= bytes;
    this.#window -= bytes;
  }

  #putBlock(block: Buffer, stream: number, flags: number): void {
    const { output } = this.#deps;
    const start = output.reserve(FRAME_HEAD_BYTES + block.length);
    const at = putFrameHead(output.buffer, start, { length: block.length, type: FRAME.HEADERS, flags, stream });
    output.buffer.set(block, at);
  }
}

/** Moves bytes of the queued parts into `out`. */
function takeParts(from: Outgoing, out: Buffer, { at, size }: { at: number; size: number }): void {
  const end = at + size;
  let next = at;
  while (next < end) {
    const part = from.parts[0];
    if (part === undefined) break;
    const taken = Math.min(end - next, part.length - from.partOffset);
    out.set(part.subarray(from.partOffset, from.partOffset + taken), next);
    next += taken;
    from.partOffset += taken;
    if (from.partOffset < part.length) continue;
    from.parts.shift();
    from.partOffset = 0;
  }
  from.pendingBytes -= size;
}

function drained(outgoing: Outgoing): void {
  const { onDrained } = outgoing;
  outgoing.onDrained = undefined;
  onDrained?.();
}

function tooWide(): ConnectionError {
  return new ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'A window grew beyond 2^31-1');
}
