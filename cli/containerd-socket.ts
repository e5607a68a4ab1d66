/** containerd asked from the command line, for one answer. */
import { systemClock } from '../core/runtime/clock.ts';
import { silentLogger } from '../core/runtime/log.ts';
import type { Containerd } from '../plugin/containerd/containerd.ts';
import { createContainerd } from '../plugin/containerd/grpc-containerd.ts';

/** Runs `use` with a connection that is closed again; every call has a deadline of its own. */
export async function withContainerd<T>(
  socket: string,
  use: (containerd: Containerd, options: { signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const containerd = createContainerd({ socket, clock: systemClock, log: silentLogger });
  try {
    return await use(containerd, { signal: new AbortController().signal });
  } finally {
    await containerd.stop();
  }
}
