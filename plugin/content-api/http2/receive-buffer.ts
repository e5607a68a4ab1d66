/**
 * Received bytes in one buffer that is used again. By default Node makes a buffer of 64 KiB for each read, and collecting those
 * stops the process for tens of milliseconds several times a second while containerd writes. Node offers a buffer of the
 * caller's own (`onread`) for sockets that it connects but not for those that it accepts: the accepted connection's handle
 * is moved into a socket made with one.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';

/** What one read of a unix socket brings at most. */
const RECEIVE_BYTES = 64 * 1024;

/**
 * @param accepted a paused socket that nobody has read from; to be left alone afterwards
 * @param onBytes gets what arrived; the bytes are overwritten when it returns
 * @returns the socket to use in its place
 */
export function receiveInto(accepted: Socket, onBytes: (bytes: Buffer) => void): Socket {
  const handle: unknown = Reflect.get(accepted, '_handle');
  if (typeof handle !== 'object' || handle === null) {
    // Another Node may keep its handles elsewhere: then its own buffers are used.
    accepted.on('data', onBytes);
    return accepted;
  }
  const buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  const onread: SocketConstructorOpts['onread'] = {
    buffer,
    callback: (length) => {
      onBytes(buffer.subarray(0, length));
      return true;
    },
  };
  Reflect.set(accepted, '_handle', null);
  const options: SocketConstructorOpts = { onread, readable: true, writable: true };
  Reflect.set(options, 'handle', handle);
  const socket = new Socket(options);
  // The server counts its connections by the sockets that it accepted.
  socket.once('close', () => accepted.destroy());
  return socket.resume();
}
