/** Debian's docker-registry on a machine of its own. Images are pushed over the bridge for watching, pulls take the shaped one. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DaemonProcess, startDaemon } from '../support/debian/daemon-process.ts';
import type { PushTarget } from '../support/docker-registry/push.ts';
import { REGISTRY_MACHINE } from './address-plan.ts';
import { onMachine } from './network.ts';

const PORT = 5000;
const READY_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 5_000;

/** As references begin. */
export const REGISTRY_HOST = `${REGISTRY_MACHINE.address}:${PORT}`;

export interface FleetRegistry {
  pid(): number;
  target(repository: string): PushTarget;
  /** Also after `stop`, with what it had. Started twice is harmless. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Started by `start`. */
export function createFleetRegistry(directory: string): FleetRegistry {
  const url = `http://${REGISTRY_MACHINE.watchAddress}:${PORT}`;
  let daemon: DaemonProcess | undefined;
  return {
    pid: () => daemon?.pid ?? 0,
    target: (repository) => ({ url, repository }),
    async start() {
      if (daemon?.isRunning()) return;
      daemon = await spawnRegistry(directory);
      await daemon.waitUntil('answers', READY_DEADLINE_MS, async () =>
        (await answers(`${url}/v2/`)) ? true : undefined,
      );
    },
    stop: async () => daemon?.terminate(STOP_DEADLINE_MS),
  };
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(READY_DEADLINE_MS) }).catch(() => undefined);
  await answer?.text();
  return answer?.ok ?? false;
}

async function spawnRegistry(directory: string): Promise<DaemonProcess> {
  await mkdir(directory, { recursive: true });
  const configFile = join(directory, 'config.yml');
  // YAML is a superset of JSON.
  const config = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'data') } },
    http: { addr: `0.0.0.0:${PORT}` },
  };
  await writeFile(configFile, JSON.stringify(config));
  return startDaemon({
    name: 'docker-registry',
    command: onMachine(REGISTRY_MACHINE, ['docker-registry', 'serve', configFile]),
    stdoutFile: join(directory, 'registry.log'),
    stderrFile: join(directory, 'registry.log'),
  });
}
