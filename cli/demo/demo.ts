/**
 * `shoal demo`: the whole thing on this machine, without root and without containerd. A registry with a generated image,
 * three nodes, pulls through them, every byte read back as containerd would, where each byte came from, and a Deployment whose image is
 * on every node before it is scaled out.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../core/runtime/log.ts';
import { formatBytes } from '../../core/runtime/units.ts';
import { EXIT } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import type { CommandContext } from '../program.ts';
import { connectContent } from './content-client.ts';
import { type DemoFleet, startDemoFleet } from './demo-fleet.ts';
import type { DemoNode } from './demo-node.ts';
import { peerBytes, type PulledBlob, pullThrough } from './demo-pull.ts';
import { DEMO_REPOSITORY, DEMO_TAG, startDemoRegistry } from './demo-registry.ts';
import { type WarmRound, warmRound } from './demo-warm.ts';

/** One pull of the demo by some of its nodes, in bytes. */
interface Round {
  nodes: string[];
  blobs: number;
  /** Of the image, once for each node. */
  bytes: number;
  /** What left the registry meanwhile. */
  upstreamBytes: number;
  /** What came from other nodes. */
  peerBytes: number;
  seconds: number;
}

interface DemoResult {
  image: string;
  cold: Round;
  spread: Round;
  warm: Round;
  /** Blobs read back over the content sockets whose SHA-256 was their digest. */
  proven: number;
  isProven: boolean;
  /** The other image, warmed before it was pulled. */
  warmed: WarmRound;
}

type Say = (line: string) => void;

/** Tells the story of the demo while it happens, and answers what came of it. */
export async function demo({ host, finish }: CommandContext, options: { json?: true }): Promise<void> {
  const say: Say = options.json ? () => undefined : (line) => host.out.write(`${line}\n`);
  const result = await runDemo(say, host);
  if (result === undefined) return finish(EXIT.failed);
  if (options.json) host.out.write(`${JSON.stringify(result)}\n`);
  if (!result.isProven || !result.warmed.isWarm) finish(EXIT.failed);
}

/** @returns undefined when a signal ended it early; what it made is taken away all the same */
async function runDemo(say: Say, host: Host): Promise<DemoResult | undefined> {
  const interruption = awaitSignal(host);
  const folder = await mkdtemp(join(tmpdir(), 'shoal-demo-'));
  const registry = await startDemoRegistry();
  try {
    const fleet = await startDemoFleet({ folder, registry: registry.host, log: silentLogger });
    try {
      return await Promise.race([tellStory({ registry, fleet, folder, say }), interruption.signalled]);
    } finally {
      await fleet.stop();
    }
  } finally {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
    interruption.ignore();
  }
}

function awaitSignal(host: Host): { signalled: Promise<undefined>; ignore: () => void } {
  const { promise: signalled, resolve } = Promise.withResolvers<undefined>();
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((signal) => host.onSignal(signal, () => resolve(undefined)));
  const ignore = () => {
    for (const remove of listeners) remove();
  };
  return { signalled, ignore };
}

interface Stage {
  registry: Awaited<ReturnType<typeof startDemoRegistry>>;
  fleet: DemoFleet;
  folder: string;
  say: Say;
}

async function tellStory(stage: Stage): Promise<DemoResult> {
  const { registry, fleet, say } = stage;
  const image = `${registry.host}/${DEMO_REPOSITORY}:${DEMO_TAG}`;
  const [first, ...others] = fleet.nodes;
  if (first === undefined) throw new Error('The demo has no node');
  say(`registry  ${registry.host} serves ${DEMO_REPOSITORY}:${DEMO_TAG}`);
  for (const { name, admin } of fleet.nodes) say(`${name}    admin at ${admin}`);
  say(`          the three met by gossip in ${fleet.metInSeconds.toFixed(2)} s; everything between them is sealed\n`);

  say(`1. A pull on ${first.name}, which has nothing, as nobody has`);
  const cold = await pullRound(stage, [first], image);
  for (const blob of cold.pulled)
    say(`   ${blob.digest.slice(0, 19)}…  ${formatBytes(blob.size).padStart(10)}  ${kindOf(blob)}`);
  sayRound(say, cold.round);

  say(`2. The same pull on ${others.map(({ name }) => name).join(' and ')} at once`);
  const spread = await pullRound(stage, others, image);
  sayRound(say, spread.round);

  say(
    "3. Every blob read back from each node through containerd's content service, 32 KiB at a time as unpacking does",
  );
  let proven = 0;
  for (const node of fleet.nodes) proven += await readBack(node.socket, cold.pulled);
  const expected = cold.pulled.length * fleet.nodes.length;
  say(`   ${proven} of ${expected} blobs have the SHA-256 that names them\n`);

  say('4. The same pull again, on all three');
  const warm = await pullRound(stage, fleet.nodes, image);
  sayRound(say, warm.round);
  const warmed = await warmRound({ ...stage, nodes: fleet.nodes });
  const rounds = { cold: cold.round, spread: spread.round, warm: warm.round, warmed };
  return { image, ...rounds, proven, isProven: proven === expected };
}

async function pullRound({ registry }: Stage, nodes: readonly DemoNode[], image: string) {
  const before = { upstream: registry.bytesServed(), peer: await peerBytes(nodes) };
  const startedAt = performance.now();
  const pulls = await Promise.all(nodes.map(({ admin }) => pullThrough(admin, image)));
  const seconds = (performance.now() - startedAt) / 1000;
  const pulled = pulls[0] ?? [];
  const round: Round = {
    nodes: nodes.map(({ name }) => name),
    blobs: pulled.length,
    bytes: pulls.flat().reduce((sum, blob) => sum + blob.size, 0),
    upstreamBytes: registry.bytesServed() - before.upstream,
    peerBytes: (await peerBytes(nodes)) - before.peer,
    seconds,
  };
  return { pulled, round };
}

function sayRound(say: Say, round: Round): void {
  const fromDisk = Math.max(0, round.bytes - round.upstreamBytes - round.peerBytes);
  const nodes = round.nodes.length === 1 ? '' : ` on each of ${round.nodes.length} nodes, together`;
  say(`   ${round.blobs} blobs${nodes}, ${formatBytes(round.bytes)} in ${round.seconds.toFixed(2)} s:`);
  const from = [
    [round.upstreamBytes, 'the registry'],
    [round.peerBytes, 'other nodes'],
    [fromDisk, 'their own disks'],
  ] as const;
  say(`   ${from.map(([bytes, where]) => `${formatBytes(bytes)} from ${where}`).join(', ')}\n`);
}

async function readBack(socket: string, blobs: readonly PulledBlob[]): Promise<number> {
  const client = connectContent(socket);
  try {
    let proven = 0;
    for (const blob of blobs) {
      if ((await client.readBlob(blob.digest, blob.size)) === blob.digest) proven += 1;
    }
    return proven;
  } finally {
    client.close();
  }
}

function kindOf(blob: PulledBlob): string {
  const [, kind] = /\b(index|manifest|config|layer)\b/.exec(blob.mediaType) ?? [];
  return kind ?? blob.mediaType;
}
