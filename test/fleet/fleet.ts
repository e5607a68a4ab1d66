/** The nodes of one run: started together, one mesh, ended together. */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel } from './in-parallel.ts';
import type { Machine } from './address-plan.ts';
import { type FleetNode, createFleetNode } from './fleet-node.ts';
import { REGISTRY_HOST } from './fleet-registry.ts';

/** Members that the others ask to be let in. */
const JOIN_COUNT = 3;
/** Starting takes a processor for half a second; more at once only makes each slower. */
const STARTS_AT_ONCE = 4;
const MESH_DEADLINE_MS = 30_000;
const MESH_POLL_MS = 500;
/** AES-256, as `shoal keygen` makes. */
const KEY_BYTES = 32;
/** Nobody waits for a node that is about to be thrown away. */
const KILLS_AT_ONCE = 64;

export interface FleetSettings {
  readonly machines: readonly Machine[];
  /** Everything of the run lies below it. */
  readonly directory: string;
  readonly preset: string;
  readonly giveUp: string;
  readonly logLevel: string;
  /** Of the nodes' runtime. */
  readonly nodeFlags: readonly string[];
}

export interface Fleet extends AsyncDisposable {
  readonly nodes: readonly FleetNode[];
  /** Waits until every running node knows every other. @returns how many each knows; undefined when nodes have no mesh */
  untilMeshed(): Promise<number | undefined>;
  /** Copies every node's log there. */
  saveLogs(directory: string): Promise<void>;
  /** Kills whatever still runs, and removes the directory. */
  stop(): Promise<void>;
}

/** @throws Error with the log of a node that did not start */
export async function startFleet(settings: FleetSettings): Promise<Fleet> {
  const { machines, directory, preset, giveUp, logLevel, nodeFlags } = settings;
  await mkdir(directory, { recursive: true });
  const [keyFile, tokenFile] = [join(directory, 'key'), join(directory, 'token')];
  await writeFile(keyFile, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600 });
  await writeFile(tokenFile, `${randomBytes(KEY_BYTES).toString('hex')}\n`, { mode: 0o600 });
  const common = {
    join: machines.slice(0, JOIN_COUNT),
    preset,
    keyFile,
    tokenFile,
    giveUp,
    logLevel,
    registryHost: REGISTRY_HOST,
  };
  const nodes = await Promise.all(
    machines.map((machine) =>
      createFleetNode({ ...common, machine, directory: join(directory, machine.name) }, nodeFlags),
    ),
  );
  const fleet = handleOf(nodes, settings);
  try {
    await inParallel(nodes, STARTS_AT_ONCE, (node) => node.start());
    return fleet;
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

function handleOf(nodes: readonly FleetNode[], { directory, nodeFlags }: FleetSettings): Fleet {
  const stop = async () => {
    // What a flag asks for may be written at the end.
    if (nodeFlags.length > 0) await inParallel(nodes, STARTS_AT_ONCE, (node) => node.stop());
    await inParallel(nodes, KILLS_AT_ONCE, (node) => node.kill());
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  return {
    nodes,
    untilMeshed: () => untilMeshed(nodes.filter((node) => node.isRunning())),
    async saveLogs(target) {
      await mkdir(target, { recursive: true });
      for (const { name, logFile } of nodes) await copyFile(logFile, join(target, `${name}.log`));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function untilMeshed(nodes: readonly FleetNode[]): Promise<number | undefined> {
  const end = performance.now() + MESH_DEADLINE_MS;
  for (;;) {
    const known = await Promise.all(nodes.map(async (node) => (await node.metrics()).membersAlive));
    if (known.includes(undefined)) return undefined;
    const least = Math.min(...known.map((count) => count ?? 0));
    if (least >= nodes.length || performance.now() > end) return least;
    await sleep(MESH_POLL_MS);
  }
}
