import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { BodySink } from './body-sink.ts';
import { PeerConnection } from './peer-connection.ts';

/** A socket as TLS makes it: when it is paused, it still gives what it had decrypted. */
class FakeSocket extends Socket {
  isReading = true;
  override write(): boolean {
    return true;
  }
  override resume(): this {
    this.isReading = true;
    return this;
  }
}

/** Has room for a few bytes, then asks to pause. */
class SmallSink implements BodySink {
  readonly #buffer = Buffer.alloc(100);
  #at = 0;
  target(bytes: number): Uint8Array {
    return this.#buffer.subarray(this.#at, this.#at + bytes);
  }
  filled(bytes: number): boolean {
    this.#at += bytes;
    return this.#at < 10;
  }
  fail(): void {
    // Nobody takes from it.
  }
}

function connected() {
  const socket = new FakeSocket();
  const connection = new PeerConnection(() => 0);
  connection.attach(socket);
  const arrive = (text: string) => {
    connection.onread.buffer().set(Buffer.from(text));
    if (!connection.onread.callback(text.length)) socket.isReading = false;
  };
  return { socket, connection, arrive };
}

describe('PeerConnection', () => {
  it('request() hears its answer when the last one ended on a paused socket', async () => {
    const { socket, connection, arrive } = connected();
    const first = connection.request(Buffer.from('GET'), () => new SmallSink());
    arrive('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n');
    await first;
    arrive('0123456789');
    expect(socket.isReading).toBe(false);
    arrive('0123456789');
    expect(connection.isFree).toBe(true);
    connection.resume();
    expect(socket.isReading).toBe(true);
    const second = connection.request(Buffer.from('GET'), () => new SmallSink());
    arrive('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    await second;
    expect(connection.isFree).toBe(false);
  });
});
