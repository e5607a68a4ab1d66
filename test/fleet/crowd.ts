/** Nodes that pull one image, each when its turn comes, and somebody who is told when half of it has arrived. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetNode } from './fleet-node.ts';
import { type PullEnd, pull } from './pull.ts';
import { sum } from './statistics.ts';

export interface Crowd {
  readonly nodes: readonly FleetNode[];
  readonly ref: string;
  readonly imageBytes: number;
  readonly deadlineMs: number;
  startsAfterMs(index: number): number;
  /** Called once, when half of all bytes have arrived. */
  atHalf(): Promise<void>;
}

export interface CrowdEnd {
  /** From the first start to the last end. */
  readonly seconds: number;
  readonly pulls: ReadonlyMap<string, PullEnd>;
}

/** @throws what `atHalf` threw */
export async function pullAll(crowd: Crowd): Promise<CrowdEnd> {
  const { nodes, ref, deadlineMs } = crowd;
  const arrived = new Map<string, number>();
  let half: Promise<void> | undefined;
  const note = (name: string, bytes: number) => {
    arrived.set(name, bytes);
    if (sum([...arrived.values()]) * 2 >= crowd.imageBytes * nodes.length) half ??= crowd.atHalf();
  };
  const startedMs = performance.now();
  const ends = await Promise.all(
    nodes.map(async (node, index): Promise<readonly [string, PullEnd]> => {
      await sleep(crowd.startsAfterMs(index));
      const onProgress = (bytes: number) => note(node.name, bytes);
      return [node.name, await pull(node, ref, { deadlineMs, onProgress })];
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  await half;
  return { seconds, pulls: new Map(ends) };
}
