/** Streams that we open: one message out, one in. */
import { type Socket, connect } from 'node:net';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { MeshEvents } from '../events.ts';
import { STREAMS_OUT_MAX } from '../limits.ts';
import type { StreamCodec } from '../wire/stream-codec.ts';
import { WireFault } from '../wire/wire-fault.ts';
import type { Endpoint, ExchangeDone } from './transport.ts';

export interface StreamClientDeps {
  readonly codec: StreamCodec;
  readonly events: MeshEvents;
}

export class StreamClient {
  readonly #deps: StreamClientDeps;
  readonly #open = new Set<Socket>();

  constructor(deps: StreamClientDeps) {
    this.#deps = deps;
  }

  /** As `Transport.exchange`. */
  exchange(to: Endpoint, message: Buffer, options: { timeoutMs: number }, done: ExchangeDone): void {
    if (this.#open.size >= STREAMS_OUT_MAX) {
      const failure = new CodedError('RESOURCE_EXHAUSTED', `${STREAMS_OUT_MAX} streams are open already`);
      queueMicrotask(() => done({ failure }));
      return;
    }
    const socket = connect({ host: to.address, port: to.port });
    this.#open.add(socket);
    const settle = settleOnce(done, () => {
      clearTimeout(deadline);
      this.#open.delete(socket);
      socket.destroy();
    });
    const fail = (text: string) => settle({ failure: new CodedError('UNAVAILABLE', text) });
    const deadline = setTimeout(() => fail(`No answer within ${options.timeoutMs} ms`), options.timeoutMs);
    deadline.unref();
    const assembler = this.#deps.codec.assemble({ hasLabel: false });
    socket.on('connect', () => socket.write(this.#deps.codec.seal(message, { hasLabel: true })));
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('The stream was closed before an answer'));
    socket.on('data', (chunk) => {
      try {
        const answer = assembler.push(chunk);
        if (answer !== undefined) settle({ answer });
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
        this.#deps.events.dropped(error.reason, to);
        fail(error.message);
      }
    });
  }

  /** Ends every stream; their `done` is called. */
  close(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** The first outcome counts. */
function settleOnce(done: ExchangeDone, release: () => void): ExchangeDone {
  let isSettled = false;
  return (outcome) => {
    if (isSettled) return;
    isSettled = true;
    release();
    done(outcome);
  };
}
