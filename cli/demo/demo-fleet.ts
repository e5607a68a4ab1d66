/** The demo's fleet: three nodes in this process that find each other by gossip, sealed by a key made for them. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../core/runtime/log.ts';
import { type DemoNode, freePort, startDemoNode } from './demo-node.ts';

const NAMES = ['node-a', 'node-b', 'node-c'] as const;
const KEY_BYTES = 32;
const MEETING_DEADLINE_MS = 15_000;
const LOOK_EVERY_MS = 50;

export interface DemoFleet {
  readonly nodes: readonly DemoNode[];
  /** Seconds until each knew all. */
  readonly metInSeconds: number;
  stop(): Promise<void>;
}

export async function startDemoFleet(options: { folder: string; registry: string; log: Logger }): Promise<DemoFleet> {
  const keyFile = join(options.folder, 'mesh.key');
  await writeFile(keyFile, randomBytes(KEY_BYTES).toString('base64'), { mode: 0o600 });
  const nodes: DemoNode[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    let joinPort: number | undefined;
    for (const name of NAMES) {
      const folder = join(options.folder, name);
      await mkdir(folder);
      const meshPort = await freePort();
      joinPort ??= meshPort;
      nodes.push(await startDemoNode({ ...options, name, folder, meshPort, joinPort, keyFile }));
    }
    const startedAt = performance.now();
    await allMet(nodes);
    return { nodes, metInSeconds: (performance.now() - startedAt) / 1000, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

async function allMet(nodes: readonly DemoNode[]): Promise<void> {
  const deadline = AbortSignal.timeout(MEETING_DEADLINE_MS);
  for (const node of nodes) {
    while ((await aliveAt(node)) < nodes.length) {
      if (deadline.aborted) throw new Error(`${node.name} has not met the other nodes`);
      await sleep(LOOK_EVERY_MS);
    }
  }
}

async function aliveAt({ admin }: DemoNode): Promise<number> {
  const response = await fetch(`http://${admin}/api/v1/members`);
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  return lines.filter((line) => JSON.parse(line).state === 'alive').length;
}
