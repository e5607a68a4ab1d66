/** A real serf agent as a member of a mesh, from Debian's package (`.ci/debian-packages` unpacks it). */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DaemonProcess, startDaemon } from '../debian/daemon-process.ts';
import { runCommand } from '../debian/run-command.ts';

const RPC_PORT = 7373;
const READY_MS = 10_000;

const repository = resolve(import.meta.dirname, '../../..');
const program = join(process.env.SHOAL_TEST_WORK ?? join(repository, '.work'), 'serf/usr/bin/serf');

/** Why no agent can run here; undefined when one can. */
export function serfUnavailable(): string | undefined {
  return existsSync(program) ? undefined : `serf is not at ${program} (.ci/debian-packages puts it there)`;
}

export interface SerfAgentSpec {
  name: string;
  /** A loopback address of its own; members listen on port 7946 there. */
  address: string;
  /** Where the agent's log goes. */
  directory: string;
  join?: string;
  /** base64. */
  key?: string;
  tags?: Readonly<Record<string, string>>;
}

export interface SerfMember {
  name: string;
  addr: string;
  status: string;
  tags: Record<string, string>;
}

export interface SerfAgent {
  readonly process: DaemonProcess;
  /** As `serf members` lists them. */
  members(): Promise<SerfMember[]>;
  /** Leaves the mesh and ends. */
  leave(): Promise<void>;
}

/** @throws Error, quoting the log, when it does not answer in time */
export async function startSerfAgent(spec: SerfAgentSpec): Promise<SerfAgent> {
  const rpc = `${spec.address}:${RPC_PORT}`;
  const flags = {
    node: spec.name,
    bind: `${spec.address}:7946`,
    'rpc-addr': rpc,
    profile: 'lan',
    'log-level': 'debug',
    ...(spec.join !== undefined && { join: spec.join }),
    ...(spec.key !== undefined && { encrypt: spec.key }),
  };
  const daemon = await startDaemon({
    name: `serf agent ${spec.name}`,
    command: [
      program,
      'agent',
      ...Object.entries(flags).map(([flag, value]) => `-${flag}=${value}`),
      ...Object.entries(spec.tags ?? {}).flatMap(([tag, value]) => ['-tag', `${tag}=${value}`]),
    ],
    stdoutFile: join(spec.directory, `${spec.name}.log`),
    stderrFile: join(spec.directory, `${spec.name}.log`),
  });
  const members = async () => {
    const { exitCode, stdout, stderr } = await runCommand(program, ['members', `-rpc-addr=${rpc}`, '-format=json']);
    if (exitCode !== 0) throw new Error(`serf members failed: ${stdout}${stderr}`);
    const listed: { members: SerfMember[] } = JSON.parse(stdout);
    return listed.members;
  };
  await daemon.waitUntil('serf agent answers', READY_MS, () => members().catch(() => undefined));
  return {
    process: daemon,
    members,
    async leave() {
      await runCommand(program, ['leave', `-rpc-addr=${rpc}`]);
      await daemon.terminate(READY_MS);
    },
  };
}
