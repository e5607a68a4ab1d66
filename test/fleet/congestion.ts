/**
 * The congestion control of the fleet's machines (tcp(7), tcp_congestion_control). The machine that runs the benchmark may have
 * another one than the nodes of a fleet: Linux comes with cubic. Where delays are this short, BBR starves connections that once met
 * an empty link, some to a tenth of their share, whatever runs above it (docs/decisions/0015-pieces-and-links.md).
 */
import { readFile } from 'node:fs/promises';
import type { Machine } from './address-plan.ts';
import { onMachine } from './network.ts';
import { runCommand } from '../support/debian/run-command.ts';

const USED = '/proc/sys/net/ipv4/tcp_congestion_control';
const ALLOWED = '/proc/sys/net/ipv4/tcp_allowed_congestion_control';

/** Reno is cubic's own behaviour where the delay times the rate is this small (RFC 9438, section 4.3), and allowed everywhere. */
const WANTED = ['cubic', 'reno'];

/** Pure. @returns the first that a namespace may choose; reno, which every one may, when none is */
export function congestionOf(allowed: string, wanted: readonly string[] = WANTED): string {
  const names = allowed.trim().split(/\s+/);
  return wanted.find((name) => names.includes(name)) ?? 'reno';
}

/** Sets it on every machine. @returns which one. @throws Error when the kernel refuses */
export async function setCongestion(machines: readonly Machine[], name: string | undefined): Promise<string> {
  const chosen = name ?? congestionOf(await readFile(ALLOWED, 'utf8'));
  for (const machine of machines) {
    // The file shows the namespace of whoever opens it.
    const [program = '', ...args] = onMachine(machine, ['sh', '-c', `echo "$0" > ${USED}`, chosen]);
    const { exitCode, stderr } = await runCommand(program, args);
    if (exitCode !== 0) throw new Error(`TCP of ${machine.name} cannot use "${chosen}": ${stderr.trim()}`);
  }
  return chosen;
}
