/** containerd asked from the command line, for one answer. */
import { systemClock } from '../core/runtime/clock.ts';
import { silentLogger } from '../core/runtime/log.ts';
import { callOnce, createClient } from '../plugin/containerd/containerd-calls.ts';
import { versionIn } from '../plugin/containerd/containerd-messages.ts';
import { containerdMethods } from '../plugin/containerd/containerd-services.ts';
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

/** From memory on containerd's side. */
const VERSION_DEADLINE_MS = 3_000;

/** The version that containerd tells over its socket. @throws CodedError UNAVAILABLE when nobody answers there */
export async function containerdVersionAt(socket: string): Promise<string> {
  const client = createClient(socket);
  try {
    const call = { deadlineMs: VERSION_DEADLINE_MS, signal: new AbortController().signal };
    return versionIn(await callOnce(client, containerdMethods().version, {}, call));
  } finally {
    client.close();
  }
}
