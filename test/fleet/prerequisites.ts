/** What a fleet needs of the machine. */
import { spawnSync } from 'node:child_process';
import { dockerRegistryUnavailable } from '../support/docker-registry/docker-registry.ts';

const PROGRAMS = ['unshare', 'nsenter', 'setpriv', 'ip', 'tc'];

/** Why no fleet can be started here; undefined when one can. */
export function fleetUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const missing = PROGRAMS.find((program) => !runs(program, ['-V']));
  if (missing !== undefined) return `${missing} is not installed (.ci/debian-packages installs it)`;
  return dockerRegistryUnavailable() ?? kernelLacks();
}

function kernelLacks(): string | undefined {
  const shape = 'tc qdisc add dev lo root tbf rate 1mbit burst 32kb latency 50ms && ip link add name fleet type bridge';
  if (runs('unshare', ['--net', '--pid', '--fork', 'sh', '-c', shape])) return undefined;
  return 'this kernel gives no network namespaces with tbf and bridges';
}

function runs(program: string, args: readonly string[]): boolean {
  const { error, status } = spawnSync(program, args, { stdio: 'ignore' });
  return error === undefined && status === 0;
}
