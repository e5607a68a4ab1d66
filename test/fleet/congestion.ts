/**
 * The congestion control of the fleet's machines (tcp(7), tcp_congestion_control). The machine that runs the benchmark may have
 * another one than the nodes of a fleet: Linux comes with cubic. Under a swarm on links this short,
 * some of BBR's connections get a tenth of their share for seconds (docs/decisions/0015-pieces-and-links.md).
 */
import { readFile } from 'node:fs/promises';
import type { Machine } from './address-plan.ts';
import { onMachine } from './network.ts';
import { runCommand } from '../support/debian/run-command.ts';

const USED = '/proc/sys/net/ipv4/tcp_congestion_control';
const ALLOWED = '/proc/sys/net/ipv4/tcp_allowed_congestion_control';

/**
 * Pure. @returns cubic where a namespace may choose it; else reno, which every one may, and which is cubic's own behaviour where the delay
 * times the rate is this small (RFC 9438, section 4.3)
 */
export function congestionOf(allowed: string): string {
  return allowed.trim().split(/\s+/).includes('cubic') ? 'cubic' : 'reno';
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
