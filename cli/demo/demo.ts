/**
 * `shoal demo`: the whole thing on this machine, without root and without containerd. A registry with a generated image,
 * a node, a pull through it, every byte read back as containerd would, and where each byte came from.
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
import { startDemoNode } from './demo-node.ts';
import { type PulledBlob, pullThrough } from './demo-pull.ts';
import { DEMO_REPOSITORY, DEMO_TAG, startDemoRegistry } from './demo-registry.ts';

/** One pull of the demo, in bytes. */
interface Round {
  blobs: number;
  bytes: number;
  /** What left the registry meanwhile. */
  upstreamBytes: number;
  seconds: number;
}

interface DemoResult {
  image: string;
  cold: Round;
  warm: Round;
  /** Blobs read back over the content socket whose SHA-256 was their digest. */
  proven: number;
  isProven: boolean;
}

type Say = (line: string) => void;

/** Tells the story of the demo while it happens, and answers what came of it. */
export async function demo({ host, finish }: CommandContext, options: { json?: true }): Promise<void> {
  const say: Say = options.json ? () => undefined : (line) => host.out.write(`${line}\n`);
  const result = await runDemo(say, host);
  if (result === undefined) return finish(EXIT.failed);
  if (options.json) host.out.write(`${JSON.stringify(result)}\n`);
  if (!result.isProven) finish(EXIT.failed);
}

/** @returns undefined when a signal ended it early; what it made is taken away all the same */
async function runDemo(say: Say, host: Host): Promise<DemoResult | undefined> {
  const interruption = awaitSignal(host);
  const folder = await mkdtemp(join(tmpdir(), 'shoal-demo-'));
  const registry = await startDemoRegistry();
  try {
    const node = await startDemoNode({ folder, registry: registry.host, log: silentLogger });
    try {
      return await Promise.race([tellStory({ registry, node, say }), interruption.signalled]);
    } finally {
      await node.stop();
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
  node: Awaited<ReturnType<typeof startDemoNode>>;
  say: Say;
}

async function tellStory(stage: Stage): Promise<DemoResult> {
  const { registry, node, say } = stage;
  const image = `${registry.host}/${DEMO_REPOSITORY}:${DEMO_TAG}`;
  say(`registry  ${registry.host} serves ${DEMO_REPOSITORY}:${DEMO_TAG}`);
  say(`node      content store at ${node.socket}, admin at ${node.admin}\n`);

  say('1. A pull on a cold node');
  const cold = await pullRound(stage, image);
  for (const blob of cold.pulled)
    say(`   ${blob.digest.slice(0, 19)}…  ${formatBytes(blob.size).padStart(10)}  ${kindOf(blob)}`);
  sayRound(say, cold.round);

  say("2. Every blob read back through containerd's content service, 32 KiB at a time as unpacking does");
  const proven = await readBack(node.socket, cold.pulled);
  say(`   ${proven} of ${cold.pulled.length} blobs have the SHA-256 that names them\n`);

  say('3. The same pull again');
  const warm = await pullRound(stage, image);
  sayRound(say, warm.round);
  return { image, cold: cold.round, warm: warm.round, proven, isProven: proven === cold.pulled.length };
}

async function pullRound({ registry, node }: Stage, image: string) {
  const before = registry.bytesServed();
  const startedAt = performance.now();
  const pulled = await pullThrough(node.admin, image);
  const round: Round = {
    blobs: pulled.length,
    bytes: pulled.reduce((sum, blob) => sum + blob.size, 0),
    upstreamBytes: registry.bytesServed() - before,
    seconds: (performance.now() - startedAt) / 1000,
  };
  return { pulled, round };
}

function sayRound(say: Say, round: Round): void {
  const fromDisk = Math.max(0, round.bytes - round.upstreamBytes);
  say(`   ${round.blobs} blobs, ${formatBytes(round.bytes)} in ${round.seconds.toFixed(2)} s:`);
  say(`   ${formatBytes(round.upstreamBytes)} from the registry, ${formatBytes(fromDisk)} from this disk\n`);
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
