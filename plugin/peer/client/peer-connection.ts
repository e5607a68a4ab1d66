/**
 * One HTTP/1.1 connection to a peer: a request, then its response, then the next. What arrives is written straight to where it
 * belongs (`onread`), which costs half of what streams cost. Whatever a peer sends beyond what was asked ends the connection.
 */
import type { Socket } from 'node:net';
import { CodedError } from '../../../core/runtime/errors.ts';
import { HEAD_BYTES_MAX, parseResponseHead, type ResponseHead } from '../wire/response-head.ts';
import type { BodySink } from './body-sink.ts';

const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');

type State = 'idle' | 'head' | 'body' | 'closed';

/** How a response is taken: chosen when its head is known, before any of its body is. */
type ChooseSink<Sink extends BodySink> = (head: ResponseHead) => Sink;

interface Waiting {
  readonly choose: ChooseSink<BodySink>;
  readonly resolve: (sink: BodySink) => void;
  readonly reject: (error: Error) => void;
}

export class PeerConnection {
  readonly #head = Buffer.alloc(HEAD_BYTES_MAX);
  readonly #nowMs: () => number;
  #socket: Socket | undefined;
  #state: State = 'idle';
  #headBytes = 0;
  #missing = 0;
  #isLast = false;
  #isPaused = false;
  /** What comes next has no place. */
  #isOverfull = false;
  #waiting: Waiting | undefined;
  #sink: BodySink | undefined;
  #failure: CodedError | undefined;
  #activeAtMs: number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#activeAtMs = nowMs();
  }

  /** For the socket, which is made with it. */
  readonly onread = {
    buffer: (): Uint8Array => this.#target(),
    callback: (bytes: number): boolean => this.#received(bytes),
  };

  /** Takes the connected socket over. */
  attach(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error) => this.#fail(error));
    socket.on('end', () => this.#fail(new Error('the peer ended the connection')));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  /** May carry the next request. */
  get isFree(): boolean {
    return this.#state === 'idle' && !this.#isLast;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** For how long nothing has arrived that could have; 0 while the taker is the one who makes the peer wait. */
  silentMs(): number {
    return this.#isPaused ? 0 : this.#nowMs() - this.#activeAtMs;
  }

  /**
   * Sends a request and resolves when the head of its response has come.
   * @throws CodedError UNAVAILABLE, and what `choose` throws; the connection is closed then
   */
  async request<Sink extends BodySink>(bytes: Uint8Array, choose: ChooseSink<Sink>): Promise<Sink> {
    const socket = this.#socket;
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.isFree || socket === undefined) throw new CodedError('UNAVAILABLE', 'Connection to the peer is not free');
    this.#state = 'head';
    this.#headBytes = 0;
    this.#activeAtMs = this.#nowMs();
    return await new Promise((resolve, reject) => {
      let chosen: Sink | undefined;
      this.#waiting = {
        choose: (head) => {
          chosen = choose(head);
          return chosen;
        },
        resolve: () => chosen !== undefined && resolve(chosen),
        reject,
      };
      socket.write(bytes);
    });
  }

  /** The taker has room again. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#activeAtMs = this.#nowMs();
    this.#socket?.resume();
  }

  close(reason: Error): void {
    this.#fail(reason);
  }

  /** Never empty: Node's TLS would try for ever to fill nothing. */
  #target(): Uint8Array {
    if (this.#state === 'body' && this.#sink !== undefined) {
      const target = this.#sink.target(this.#missing);
      this.#isOverfull = target.length === 0;
      if (!this.#isOverfull) return target;
    }
    return this.#head.subarray(this.#state === 'head' ? this.#headBytes : 0);
  }

  #received(bytes: number): boolean {
    this.#activeAtMs = this.#nowMs();
    try {
      if (this.#isOverfull) throw new Error('the socket gave more than there is room for');
      if (this.#state === 'head') return this.#receivedHead(bytes);
      if (this.#state === 'body') return this.#receivedBody(bytes);
      if (this.#state === 'idle') this.#fail(new Error('the peer sent what nobody asked for'));
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error('unknown failure'));
    }
    return true;
  }

  #receivedHead(bytes: number): boolean {
    const searchFrom = Math.max(0, this.#headBytes - HEAD_END.length);
    this.#headBytes += bytes;
    const received = this.#head.subarray(0, this.#headBytes);
    const end = received.indexOf(HEAD_END, searchFrom);
    if (end < 0) {
      if (this.#headBytes === this.#head.length) throw new Error('the head of the response has no end');
      return true;
    }
    const head = parseResponseHead(received.subarray(0, end).toString('latin1'));
    const waiting = this.#waiting;
    const sink = waiting?.choose(head);
    if (sink === undefined || waiting === undefined) throw new Error('nobody waits for this response');
    this.#waiting = undefined;
    this.#sink = sink;
    this.#missing = head.contentLength;
    this.#isLast = head.isLast;
    this.#state = 'body';
    waiting.resolve(sink);
    return this.#copied(received.subarray(end + HEAD_END.length));
  }

  /** The start of the body came with the head. */
  #copied(rest: Uint8Array): boolean {
    if (rest.length > this.#missing) throw new Error('the peer sent more than it said');
    if (this.#missing === 0) return this.#finish();
    if (rest.length === 0) return true;
    this.#sink?.target(rest.length).set(rest);
    return this.#receivedBody(rest.length);
  }

  #receivedBody(bytes: number): boolean {
    if (bytes > this.#missing || this.#sink === undefined) throw new Error('the peer sent more than it said');
    this.#missing -= bytes;
    const goesOn = this.#sink.filled(bytes);
    if (this.#missing === 0) return this.#finish();
    // What was read before the pause still comes, and does not end it.
    this.#isPaused ||= !goesOn;
    return goesOn;
  }

  /** The next response is read whatever this one's taker does: a body that ended in a pause has nobody left to end that. */
  #finish(): boolean {
    this.#state = 'idle';
    this.#sink = undefined;
    this.resume();
    return true;
  }

  #fail(error: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#socket?.destroy();
    const failure =
      error instanceof CodedError ? error : new CodedError('UNAVAILABLE', error.message, { cause: error });
    this.#failure = failure;
    this.#waiting?.reject(failure);
    this.#sink?.fail(failure);
    this.#waiting = undefined;
    this.#sink = undefined;
  }
}
