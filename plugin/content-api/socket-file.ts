/**
 * The unix socket's file. It appears in one step with its mode set, in the place of a stale one; a socket on which somebody
 * still answers is left alone.
 */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, rename, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { CodedError, errnoOf, fromErrno } from '../../core/runtime/errors.ts';

/** Only root talks to containerd's content store. */
const SOCKET_MODE = 0o600;
/** Bytes of a unix socket's path (`sun_path` of unix(7) without its end). */
const PATH_BYTES_MAX = 107;
/** A daemon that lives accepts at once; the kernel does it for a busy one. */
const ANSWER_TIMEOUT_MS = 2000;

/** A socket's file that is ours. */
export interface SocketFile {
  /** Removes the file, unless another server has put its own there meanwhile. */
  remove(): Promise<void>;
}

/**
 * Makes `path` by `listen`, which gets a name beside it.
 * @throws CodedError FAILED_PRECONDITION when a server answers on it or it is no socket, INVALID_ARGUMENT when it is too long
 */
export async function createSocketFile(path: string, listen: (path: string) => Promise<void>): Promise<SocketFile> {
  const besides = join(dirname(path), `.${randomBytes(4).toString('hex')}`);
  for (const name of [path, besides]) {
    if (Buffer.byteLength(name) > PATH_BYTES_MAX) {
      throw new CodedError('INVALID_ARGUMENT', `Socket path "${name}" is longer than ${PATH_BYTES_MAX} bytes`);
    }
  }
  await checkFree(path);
  await mkdir(dirname(path), { recursive: true, mode: 0o711 }).catch(rethrow(`Create the directory of "${path}"`));
  await listen(besides);
  try {
    await chmod(besides, SOCKET_MODE);
    const { dev, ino } = await lstat(besides);
    await rename(besides, path);
    return { remove: () => removeOwn(path, { dev, ino }) };
  } catch (error) {
    throw fromErrno(error, `Put the socket at "${path}"`);
  }
}

async function checkFree(path: string): Promise<void> {
  try {
    const found = await lstat(path);
    if (!found.isSocket()) throw new CodedError('FAILED_PRECONDITION', `"${path}" exists and is not a socket`);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw fromErrno(error, `Look at "${path}"`);
  }
  if (await isAnswered(path)) {
    throw new CodedError('FAILED_PRECONDITION', `Another server answers on "${path}"; stop it first`);
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    // Somebody whose queue is full lives too.
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => settle(true));
    socket.once('connect', () => settle(true));
    socket.once('error', (error) => settle(errnoOf(error) === 'EAGAIN'));
  });
}

async function removeOwn(path: string, own: { dev: number; ino: number }): Promise<void> {
  try {
    const { dev, ino } = await lstat(path);
    if (dev === own.dev && ino === own.ino) await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fromErrno(error, `Remove the socket "${path}"`);
  }
}

function rethrow(action: string): (error: unknown) => never {
  return (error) => {
    throw fromErrno(error, action);
  };
}
