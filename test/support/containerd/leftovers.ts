/** What a containerd leaves behind when it ends: shims with their containers, their sockets, mounts. */
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unmountBelow } from '../debian/mounts.ts';
import { killAll, processTree } from '../debian/processes.ts';
import { socketOf } from './containerd-config.ts';

/** Ends the node's shims and containers and unmounts everything below its directory. Other nodes are not touched. */
export async function removeLeftovers(directory: string): Promise<void> {
  const sockets = await shimSockets(directory);
  const socket = socketOf(directory);
  const shims = await processTree(
    (args) => args[0]?.endsWith('containerd-shim-runc-v2') === true && args.includes(socket),
  );
  if (shims.length > 0) await killAll(shims);
  for (const path of sockets) await rm(path, { force: true });
  await unmountBelow(directory);
}

/**
 * The sockets of the node's shims. They lie below /run/containerd, whatever the daemon's directory; the address stands in each container's bundle
 * (`address` as plain text, since 1.7 `bootstrap.json`).
 */
export async function shimSockets(directory: string): Promise<string[]> {
  const bundles = join(directory, 'state/io.containerd.runtime.v2.task');
  const files = await readdir(bundles, { recursive: true }).catch(() => []);
  const named = files.filter((file) => /^[^/]+\/[^/]+\/(address|bootstrap\.json)$/.test(file));
  const texts = await Promise.all(named.map((file) => readFile(join(bundles, file), 'utf8').catch(() => '')));
  return texts.flatMap((text) => /unix:\/\/(\/run\/containerd\/s\/[0-9a-f]+)/.exec(text)?.[1] ?? []);
}
