/**
 * The content service on an HTTP/2 server of our own over `node:net`. A Read of 32 KiB is one read and one write on the
 * socket here; through grpc-js it is several times the work (docs/decisions, "reads transport").
 */
import { createServer, type Server, type Socket } from 'node:net';
import { receiveInto } from './receive-buffer.ts';
import type { Logger } from '../../../core/runtime/log.ts';
import type { ContentService } from '../content-service.ts';
import { CONNECTIONS_MAX, type Endpoint } from '../endpoint.ts';
import type { OpenCall } from './call-stream.ts';
import { Connection } from './connection.ts';
import { contentCalls } from './content-calls.ts';
import { LINGER_MS, PREFACE_TIMEOUT_MS, RECEIVE_TURN_BYTES_MAX, UNSENT_BYTES_MAX } from './limits.ts';
import { Output } from './output.ts';

/** @param service what each call means */
export function createDirectEndpoint(service: ContentService, log: Logger): Endpoint {
  return createHttp2Endpoint(contentCalls(service, log));
}

interface Serving {
  readonly openCall: OpenCall;
  readonly lingerMs: number;
}

/** The same for any calls. */
export function createHttp2Endpoint(openCall: OpenCall, { lingerMs = LINGER_MS } = {}): Endpoint {
  const open = new Map<Socket, Connection>();
  const server = createServer({ pauseOnConnect: true }, (accepted) => serve(accepted, open, { openCall, lingerMs }));
  server.maxConnections = CONNECTIONS_MAX;
  return {
    listen: (path) => listen(server, path),
    async drain() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of open.values()) connection.drain();
      await closed;
    },
    destroy() {
      server.close();
      for (const socket of open.keys()) socket.destroy();
    },
  };
}

/** A connection that cannot be accepted (no descriptor left) is that client's trouble, not the end of the process. */
function listen(server: Server, path: string): Promise<void> {
  server.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function serve(accepted: Socket, open: Map<Socket, Connection>, { openCall, lingerMs }: Serving): void {
  let linger: NodeJS.Timeout | undefined;
  const socket = receiveInto(accepted, (bytes) => {
    output.cork();
    connection.receive(bytes);
    output.uncork();
    intake.received(bytes.length);
  });
  const unsent = new UnsentBytes(socket);
  const intake = new Intake(socket);
  const output = new Output((bytes, done) => unsent.write(bytes, done));
  const connection = new Connection({
    openCall,
    output,
    socketDrained: () => unsent.drained(),
    close: () => {
      output.uncork();
      socket.end();
      linger = setTimeout(() => socket.destroy(), lingerMs).unref();
    },
    nowMs: () => performance.now(),
  });
  open.set(socket, connection);
  const hurry = setTimeout(() => {
    if (!connection.isGreeted) socket.destroy();
  }, PREFACE_TIMEOUT_MS);
  hurry.unref();
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearTimeout(hurry);
    clearTimeout(linger);
    open.delete(socket);
    unsent.release();
    connection.lost();
  });
}

/** What the peer has not read yet. */
class UnsentBytes {
  readonly #socket: Socket;
  #waiters: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => {
      this.release();
      socket.resume();
    });
  }

  write(bytes: Buffer, done: () => void): void {
    if (this.#socket.writable) this.#socket.write(bytes, done);
  }

  async drained(): Promise<void> {
    if (this.#socket.writableLength <= UNSENT_BYTES_MAX || !this.#socket.writable) return;
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  release(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

/**
 * What is taken from the peer: nothing while it does not read, and in one turn of the event loop no more than its share. A client
 * that writes as fast as we read never empties the socket: libuv goes on reading, up to 32 times, before anybody else has a turn.
 */
class Intake {
  readonly #socket: Socket;
  #turnBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  received(bytes: number): void {
    if (this.#turnBytes === 0) setImmediate(() => this.#onNextTurn());
    this.#turnBytes += bytes;
    if (this.#turnBytes >= RECEIVE_TURN_BYTES_MAX || this.#isHeldBack()) this.#socket.pause();
  }

  /** Sockets that had something to say have been heard. */
  #onNextTurn(): void {
    const hadItsShare = this.#turnBytes >= RECEIVE_TURN_BYTES_MAX;
    this.#turnBytes = 0;
    // Held back, it goes on when what was written has drained.
    if (hadItsShare && !this.#isHeldBack()) this.#socket.resume();
  }

  #isHeldBack(): boolean {
    return this.#socket.writableLength > UNSENT_BYTES_MAX;
  }
}
