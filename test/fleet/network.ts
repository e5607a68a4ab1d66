/** Bridges, namespaces and cables of the fleet, in the network namespace of this process, which is its own (sandbox.ts). */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../support/debian/run-command.ts';
import { HUB_WATCH_ADDRESS, type Machine, PREFIX_BITS } from './address-plan.ts';
import { type InterfaceBytes, interfaceBytes } from './kernel-counters.ts';
import { shapeArguments } from './shaping.ts';

const FLEET_BRIDGE = 'fleet';
const WATCH_BRIDGE = 'watch';
const NAMESPACES = '/run/netns';

/** Ends both of a machine's shaped cable; what the bridge counts as received left the machine. */
const FLEET_DEVICE = 'eth0';
const WATCH_DEVICE = 'eth1';

/** An empty /run, seen by this process and its children alone: `ip netns` keeps its names there, and the fleet its memory files. */
export async function hideRun(): Promise<void> {
  await mustRun('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'fleet', '/run']);
  await mkdir(NAMESPACES);
}

/** Builds everything; links are not shaped yet. @throws Error with what `ip` said */
export async function buildNetwork(machines: readonly Machine[], directory: string): Promise<void> {
  await batch('ip', directory, [
    'link set lo up',
    ...[FLEET_BRIDGE, WATCH_BRIDGE].flatMap((bridge) => [
      `link add name ${bridge} type bridge`,
      `link set ${bridge} up`,
    ]),
    `addr add ${HUB_WATCH_ADDRESS}/${PREFIX_BITS} dev ${WATCH_BRIDGE}`,
  ]);
  for (const { name } of machines) await mustRun('ip', ['netns', 'add', name]);
  await batch('ip', directory, machines.flatMap(plugIn));
  for (const machine of machines) await batch('ip', directory, insideOf(machine), machine.name);
}

function plugIn({ name, port, watchPort }: Machine): string[] {
  return [
    `link add ${port} type veth peer name ${FLEET_DEVICE} netns ${name}`,
    `link set ${port} master ${FLEET_BRIDGE} up`,
    `link add ${watchPort} type veth peer name ${WATCH_DEVICE} netns ${name}`,
    `link set ${watchPort} master ${WATCH_BRIDGE} up`,
  ];
}

function insideOf({ address, watchAddress }: Machine): string[] {
  return [
    'link set lo up',
    `addr add ${address}/${PREFIX_BITS} dev ${FLEET_DEVICE}`,
    `addr add ${watchAddress}/${PREFIX_BITS} dev ${WATCH_DEVICE}`,
    `link set ${FLEET_DEVICE} up`,
    `link set ${WATCH_DEVICE} up`,
  ];
}

/** Holds a machine's link to a rate, each way: what it sends at its own end, what it receives at the bridge's. */
export async function shapeLink({ name, port }: Machine, bytesPerSecond: number): Promise<void> {
  await mustRun('tc', ['-n', name, ...shapeArguments(FLEET_DEVICE, bytesPerSecond)]);
  await mustRun('tc', shapeArguments(port, bytesPerSecond));
}

/** What left a machine over its shaped cable (`sent`) and what came to it, since the network was built. */
export async function linkBytes({ port }: Machine): Promise<InterfaceBytes> {
  const { received, sent } = interfaceBytes(await readFile('/proc/self/net/dev', 'utf8'), port);
  return { received: sent, sent: received };
}

/** A command that runs `command` on a machine. */
export function onMachine({ name }: Machine, command: readonly string[]): string[] {
  return ['nsenter', `--net=${join(NAMESPACES, name)}`, ...command];
}

async function batch(program: string, directory: string, lines: readonly string[], namespace?: string): Promise<void> {
  const file = join(directory, 'batch');
  await writeFile(file, `${lines.join('\n')}\n`);
  await mustRun(program, [...(namespace === undefined ? [] : ['-n', namespace]), '-batch', file]);
}

async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runCommand(program, args);
  if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${exitCode}: ${stderr}`);
}
