/** What the kernel lets the daemon have. */
import { readFile } from 'node:fs/promises';
import type { NodeConfig } from '../../plugin/config.ts';
import { askDaemon } from './ask-daemon.ts';
import type { LimitFacts } from './facts.ts';

const INOTIFY = '/proc/sys/fs/inotify';

/** The daemon's own limits where it tells them; else this process's. */
export async function gatherLimits(config: NodeConfig | undefined): Promise<LimitFacts> {
  const told =
    config === undefined
      ? undefined
      : await askDaemon(config, '/metrics')
          .then((answer) => answer.text())
          .catch(() => undefined);
  const openFiles = metricIn(told, 'process_max_fds');
  return {
    openFiles: openFiles ?? (await ownOpenFiles()),
    openFilesNow: metricIn(told, 'process_open_fds'),
    inotifyInstances: Number(await readFile(`${INOTIFY}/max_user_instances`, 'utf8')),
    inotifyWatches: Number(await readFile(`${INOTIFY}/max_user_watches`, 'utf8')),
  };
}

async function ownOpenFiles(): Promise<number> {
  const text = await readFile('/proc/self/limits', 'utf8');
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(text)?.[1];
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}

function metricIn(text: string | undefined, name: string): number | undefined {
  const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(text ?? '') ?? [];
  return value === undefined ? undefined : Number(value);
}
