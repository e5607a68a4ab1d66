/** Whole reads and writes on file handles: the kernel may do less than it was asked. */
import type { FileHandle } from 'node:fs/promises';

/** What `use` makes of a file that was just opened; it is closed when that fails. */
export async function orClosed<T>(handle: FileHandle, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await use(handle);
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

/** Reads until `into` is full or the file ends. Resolves with the bytes read. */
export async function readAt(handle: FileHandle, into: Uint8Array, offset: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Writes all of `bytes`. A disk that fills half-way fails on the second attempt. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}

/** Writes buffers one after another with as few calls as possible. */
export async function writeAllAt(handle: FileHandle, buffers: readonly Uint8Array[], offset: number): Promise<void> {
  const [first, ...more] = buffers;
  if (first === undefined) return;
  if (more.length === 0) return writeAt(handle, first, offset);
  const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  const { bytesWritten } = await handle.writev([...buffers], offset);
  if (bytesWritten < length) await writeRest(handle, buffers, { offset, done: bytesWritten });
}

async function writeRest(
  handle: FileHandle,
  buffers: readonly Uint8Array[],
  state: { offset: number; done: number },
): Promise<void> {
  let position = 0;
  for (const buffer of buffers) {
    const skip = Math.max(0, state.done - position);
    if (skip < buffer.length) await writeAt(handle, buffer.subarray(skip), state.offset + position + skip);
    position += buffer.length;
  }
}
