/**
 * One HTTP/2 connection of a gRPC client (RFC 9113): frames in, calls out. It knows no call by name. Whatever a peer sends,
 * what is kept for it is bounded (`limits.ts`); a violation ends the connection with GOAWAY.
 */
import { STREAMS_MAX } from '../endpoint.ts';
import { NOT_GRPC } from './answers.ts';
import type { OpenCall } from './call-stream.ts';
import { FrameSplitter } from './frame-splitter.ts';
import {
  ConnectionError,
  FLAG,
  FRAME,
  type FrameHead,
  GREETING,
  goawayFrame,
  H2_ERROR,
  pingAckFrame,
  putFrameHead,
  rstStreamFrame,
  SETTING,
  SETTINGS_ACK,
  WINDOW_MAX,
  windowUpdateFrame,
} from './frames.ts';
import { type HeaderBlock, HeaderBlocks } from './header-blocks.ts';
import type { RequestHeaders } from './hpack-decoder.ts';
import { BUFFERED_BYTES_MAX, CONNECTION_WINDOW, RESETS_PER_SECOND_MAX } from './limits.ts';
import { MessagePool } from './message-pool.ts';
import type { Output } from './output.ts';
import { type Outgoing, Sender } from './sender.ts';
import { ServerStream, type ServerStreamDeps } from './server-stream.ts';

export interface ConnectionDeps {
  readonly openCall: OpenCall;
  /** Where frames go. */
  readonly output: Output;
  /** Resolves when the peer has read what was written. */
  socketDrained(): Promise<void>;
  /** Ends the transport, after what was written. */
  close(): void;
  nowMs(): number;
}

export class Connection {
  readonly #deps: ConnectionDeps;
  readonly #splitter = new FrameSplitter((head, payload) => this.#onFrame(head, payload));
  readonly #blocks = new HeaderBlocks();
  readonly #streams = new Map<number, ServerStream>();
  readonly #sender: Sender;
  readonly #streamDeps: ServerStreamDeps;
  #hasSettings = false;
  #lastStream = 0;
  #unannounced = 0;
  #window = CONNECTION_WINDOW;
  #bufferedBytes = 0;
  #resets = { sinceMs: 0, count: 0 };
  #isDraining = false;
  #isClosed = false;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    this.#sender = new Sender({ output: deps.output, onEnded: (outgoing) => this.#onEnded(outgoing) });
    this.#streamDeps = {
      sender: this.#sender,
      pool: new MessagePool(),
      openWindow: (stream, increment) => this.#write(windowUpdateFrame(stream, increment)),
      socketDrained: () => deps.socketDrained(),
      buffered: (change) => {
        this.#bufferedBytes += change;
      },
    };
    this.#write(GREETING);
  }

  get isGreeted(): boolean {
    return this.#splitter.isGreeted;
  }

  /** Bytes from the peer. Never throws. */
  receive(chunk: Buffer): void {
    if (this.#isClosed) return;
    try {
      this.#splitter.push(chunk);
    } catch (error) {
      const code = error instanceof ConnectionError ? error.h2Code : H2_ERROR.INTERNAL_ERROR;
      this.#write(goawayFrame(this.#lastStream, code));
      this.lost();
      this.#deps.close();
    }
  }

  /** The transport is gone: every call is told. */
  lost(): void {
    this.#isClosed = true;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.cancel();
  }

  /** Takes no new calls and closes when the running ones have ended. */
  drain(): void {
    if (this.#isClosed) return;
    this.#isDraining = true;
    this.#write(goawayFrame(this.#lastStream, H2_ERROR.NO_ERROR));
    this.#closeIfDrained();
  }

  #write(frame: Buffer): void {
    this.#deps.output.put(frame);
    this.#deps.output.flush();
  }

  #closeIfDrained(): void {
    if (!this.#isDraining || this.#streams.size > 0 || this.#isClosed) return;
    this.#isClosed = true;
    this.#deps.close();
  }

  #onFrame(head: FrameHead, payload: Buffer): void {
    if (this.#isClosed) return;
    if (!this.#hasSettings && head.type !== FRAME.SETTINGS) throw protocolError('Settings have to come first');
    if (this.#blocks.isOpen && head.type !== FRAME.CONTINUATION) throw protocolError('A header block is not whole');
    switch (head.type) {
      case FRAME.DATA:
        this.#onData(head, payload);
        break;
      case FRAME.HEADERS:
        this.#onHeaders(head, payload);
        break;
      case FRAME.CONTINUATION:
        this.#onBlock(this.#blocks.continue(head, payload));
        break;
      case FRAME.RST_STREAM:
        this.#onReset(head);
        break;
      case FRAME.SETTINGS:
        this.#onSettings(head, payload);
        break;
      case FRAME.PING:
        this.#onPing(head, payload);
        break;
      case FRAME.WINDOW_UPDATE:
        this.#onWindowUpdate(head, payload);
        break;
      case FRAME.PUSH_PROMISE:
        throw protocolError('A client cannot push');
      default:
      // PRIORITY, GOAWAY and types of later versions ask nothing of a server.
    }
  }

  #onData(head: FrameHead, payload: Buffer): void {
    const stream = this.#streams.get(head.stream);
    if (stream === undefined && (head.stream === 0 || head.stream > this.#lastStream))
      throw protocolError('Data too early');
    this.#window -= head.length;
    if (this.#window < 0) throw new ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'More data than the window');
    this.#unannounced += head.length;
    const data = unpadded(head, payload);
    if (stream !== undefined) this.#toStream(stream, { head, data });
    if (this.#unannounced < CONNECTION_WINDOW / 2) return;
    this.#write(windowUpdateFrame(0, this.#unannounced));
    this.#window += this.#unannounced;
    this.#unannounced = 0;
  }

  #toStream(stream: ServerStream, { head, data }: { head: FrameHead; data: Buffer }): void {
    if (stream.hasClientEnded) this.#reset(stream, H2_ERROR.STREAM_CLOSED);
    else if (!stream.receive(data, head.length)) this.#reset(stream, H2_ERROR.FLOW_CONTROL_ERROR);
    else if (this.#bufferedBytes > BUFFERED_BYTES_MAX) this.#reset(stream, H2_ERROR.ENHANCE_YOUR_CALM);
    else if ((head.flags & FLAG.END_STREAM) !== 0) stream.receiveEnd();
  }

  #onHeaders(head: FrameHead, payload: Buffer): void {
    if (head.stream % 2 === 0) throw protocolError('A client has odd streams');
    this.#onBlock(this.#blocks.begin(head, withoutPriority(head, unpadded(head, payload))));
  }

  #onBlock(block: HeaderBlock | undefined): void {
    if (block === undefined) return;
    const running = this.#streams.get(block.stream);
    if (running !== undefined) this.#onSecondBlock(running, block);
    else if (block.stream > this.#lastStream) this.#onNewStream(block);
  }

  /** Trailers of a request: gRPC's clients send none, but they may. */
  #onSecondBlock(stream: ServerStream, { isEnd }: HeaderBlock): void {
    if (!isEnd || stream.hasClientEnded) this.#reset(stream, H2_ERROR.PROTOCOL_ERROR);
    else stream.receiveEnd();
  }

  #onNewStream({ stream, headers, isEnd }: HeaderBlock): void {
    this.#lastStream = stream;
    if (this.#isDraining || this.#streams.size >= STREAMS_MAX) {
      this.#write(rstStreamFrame(stream, H2_ERROR.REFUSED_STREAM));
      return;
    }
    this.#open(stream, headers);
    if (isEnd) this.#streams.get(stream)?.receiveEnd();
  }

  #open(id: number, { method, path, contentType }: RequestHeaders): void {
    if (method !== 'POST' || !contentType.startsWith('application/grpc')) {
      this.#refuse(id);
      return;
    }
    const stream = new ServerStream(id, this.#streamDeps);
    this.#streams.set(id, stream);
    const handler = this.#deps.openCall(path, stream);
    if (handler !== undefined) stream.start(handler);
  }

  #refuse(id: number): void {
    const flags = FLAG.END_HEADERS | FLAG.END_STREAM;
    const frame = Buffer.allocUnsafe(9 + NOT_GRPC.length);
    const at = putFrameHead(frame, 0, { length: NOT_GRPC.length, type: FRAME.HEADERS, flags, stream: id });
    frame.set(NOT_GRPC, at);
    this.#write(frame);
  }

  /** All of an answer is written; a client that has not ended is told to stop. */
  #onEnded(outgoing: Outgoing): void {
    const stream = this.#streams.get(outgoing.id);
    if (stream === undefined) return;
    this.#streams.delete(outgoing.id);
    stream.release();
    if (!stream.hasClientEnded) this.#write(rstStreamFrame(outgoing.id, H2_ERROR.NO_ERROR));
    this.#closeIfDrained();
  }

  #reset(stream: ServerStream, code: number): void {
    this.#streams.delete(stream.id);
    this.#write(rstStreamFrame(stream.id, code));
    stream.cancel();
    this.#closeIfDrained();
  }

  #onReset(head: FrameHead): void {
    if (head.length !== 4) throw frameSizeError('RST_STREAM');
    if (head.stream === 0 || head.stream > this.#lastStream) throw protocolError('A reset of no stream');
    const stream = this.#streams.get(head.stream);
    if (stream === undefined) return;
    this.#countReset();
    this.#streams.delete(head.stream);
    stream.cancel();
    this.#closeIfDrained();
  }

  #countReset(): void {
    const now = this.#deps.nowMs();
    if (now - this.#resets.sinceMs >= 1000) this.#resets = { sinceMs: now, count: 0 };
    this.#resets.count += 1;
    if (this.#resets.count <= RESETS_PER_SECOND_MAX) return;
    throw new ConnectionError(H2_ERROR.ENHANCE_YOUR_CALM, 'More resets than can be served');
  }

  #onSettings(head: FrameHead, payload: Buffer): void {
    if (head.stream !== 0) throw protocolError('Settings of a stream');
    if ((head.flags & FLAG.ACK) !== 0) {
      if (head.length !== 0) throw frameSizeError('SETTINGS');
      if (!this.#hasSettings) throw protocolError('Settings have to come first');
      return;
    }
    if (head.length % 6 !== 0) throw frameSizeError('SETTINGS');
    this.#hasSettings = true;
    // The client counts with its new window from our acknowledgement on, so no data may overtake it.
    this.#write(SETTINGS_ACK);
    for (let at = 0; at < payload.length; at += 6) {
      this.#onSetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
  }

  #onSetting(id: number, value: number): void {
    if (id === SETTING.MAX_FRAME_SIZE && (value < 16_384 || value > 0xff_ffff))
      throw protocolError('A wrong frame size');
    if (id !== SETTING.INITIAL_WINDOW_SIZE) return;
    if (value > WINDOW_MAX) throw new ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'A window beyond 2^31-1');
    this.#sender.setInitialWindow(
      value,
      [...this.#streams.values()].map(({ outgoing }) => outgoing),
    );
  }

  #onPing(head: FrameHead, payload: Buffer): void {
    if (head.length !== 8) throw frameSizeError('PING');
    if (head.stream !== 0) throw protocolError('A ping of a stream');
    if ((head.flags & FLAG.ACK) === 0) this.#write(pingAckFrame(payload));
  }

  #onWindowUpdate(head: FrameHead, payload: Buffer): void {
    if (head.length !== 4) throw frameSizeError('WINDOW_UPDATE');
    const increment = payload.readUInt32BE(0) & WINDOW_MAX;
    if (head.stream === 0) {
      if (increment === 0) throw protocolError('A window update of nothing');
      this.#sender.openWindow(increment);
      return;
    }
    if (head.stream > this.#lastStream) throw protocolError('A window of no stream');
    const stream = this.#streams.get(head.stream);
    if (stream === undefined) return;
    if (increment === 0) this.#reset(stream, H2_ERROR.PROTOCOL_ERROR);
    else this.#sender.openStreamWindow(stream.outgoing, increment);
  }
}

function unpadded({ flags, length }: FrameHead, payload: Buffer): Buffer {
  if ((flags & FLAG.PADDED) === 0) return payload;
  const padding = payload[0] ?? 0;
  if (length < 1 + padding) throw protocolError('More padding than frame');
  return payload.subarray(1, length - padding);
}

function withoutPriority({ flags }: FrameHead, fragment: Buffer): Buffer {
  if ((flags & FLAG.PRIORITY) === 0) return fragment;
  if (fragment.length < 5) throw frameSizeError('HEADERS');
  return fragment.subarray(5);
}

function protocolError(message: string): ConnectionError {
  return new ConnectionError(H2_ERROR.PROTOCOL_ERROR, message);
}

function frameSizeError(name: string): ConnectionError {
  return new ConnectionError(H2_ERROR.FRAME_SIZE_ERROR, `${name} has a wrong length`);
}
