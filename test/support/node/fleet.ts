/**
 * Several nodes on loopback in one sealed mesh, each with a containerd of its own.
 *
 * ```ts
 * await using fleet = await startFleet(['2.1', '1.7'], { registries: [registry] });
 * await fleet.pairs[0].images.pullImage(reference);
 * ```
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerdVersion } from '../containerd/versions.ts';
import { eventually } from '../debian/eventually.ts';
import { makeTestDirectory, removeTestDirectory } from '../debian/test-directory.ts';
import type { NodeRegistry } from './node-config.ts';
import { freePort } from '../debian/free-port.ts';
import { type Pair, startPair } from './pair.ts';

/** A sealing key of AES-256. */
const KEY_BYTES = 32;

export interface PairFleet extends AsyncDisposable {
  /** In the order of the versions asked for. */
  readonly pairs: readonly Pair[];
  stop(): Promise<void>;
}

export interface FleetNodes {
  /** By each node, or one list for all. A label names a registry without its port, so a node asks all that it knows of a host. */
  readonly registries: readonly NodeRegistry[] | ((index: number) => readonly NodeRegistry[]);
  readonly claimGiveUp?: string;
}

/** Resolves when every node knows all others. @throws Error with the log of the one that did not start */
export async function startFleet(versions: readonly ContainerdVersion[], nodes: FleetNodes): Promise<PairFleet> {
  const directory = await makeTestDirectory('shoal-fleet-');
  const keyFile = join(directory, 'mesh.key');
  await writeFile(keyFile, randomBytes(KEY_BYTES).toString('base64'), { mode: 0o600 });
  const pairs: Pair[] = [];
  const stop = async () => {
    await Promise.all(pairs.map((pair) => pair.stop()));
    await removeTestDirectory(directory);
  };
  try {
    let joinPort: number | undefined;
    for (const [index, version] of versions.entries()) {
      const port = await freePort();
      joinPort ??= port;
      const mesh = { name: `node-${index + 1}`, port, joinPort, keyFile };
      const containerd = { version, cri: true, discardUnpackedLayers: false };
      const registries = typeof nodes.registries === 'function' ? nodes.registries(index) : nodes.registries;
      pairs.push(await startPair({ containerd, node: { ...nodes, registries, mesh } }));
    }
    for (const pair of pairs) await eventually(pair.node.membersAlive, (count) => count === versions.length);
    return { pairs, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs `work`; when it fails, the end of every log goes to stderr. */
export async function toldByAll(fleet: PairFleet, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    for (const [index, { node }] of fleet.pairs.entries()) {
      process.stderr.write(`\n--- node-${index + 1}\n${(await node.log()).slice(-LOG_CHARS_MAX)}\n`);
    }
    throw error;
  }
}

/** Of one node's log, in the output of a failed test. */
const LOG_CHARS_MAX = 15_000;
