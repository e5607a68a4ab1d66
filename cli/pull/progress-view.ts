/** Showing a pull while it runs: a live line on a terminal, a line for each finished blob elsewhere. */
import ora from 'ora';
import { formatBytes } from '../../core/runtime/units.ts';
import { type Host, isColoured } from '../host.ts';
import { type BlobStep, type PullProgress, progressText } from './pull-progress.ts';

export interface ProgressView {
  show(step: BlobStep): void;
  /** Takes a live line away. */
  close(): void;
}

export function createProgressView(host: Host, ref: string, progress: PullProgress): ProgressView {
  // Serial consoles and pseudo terminals may tell a width of 0, which ora would count lines with for ever.
  const isLive = host.err.isTTY === true && (host.err.columns ?? 0) > 0;
  return isLive ? liveLine(host, ref, progress) : plainLines(host, progress);
}

function liveLine(host: Host, ref: string, progress: PullProgress): ProgressView {
  const spinner = ora({
    text: ref,
    stream: host.err,
    color: isColoured(host, host.err) ? 'cyan' : false,
    discardStdin: false,
  }).start();
  return {
    show: () => {
      spinner.text = `${ref}  ${progressText(progress.totals())}`;
    },
    close: () => void spinner.stop(),
  };
}

function plainLines(host: Host, progress: PullProgress): ProgressView {
  const told = new Set<string>();
  return {
    show: ({ digest, size, state }) => {
      if ((state !== 'done' && state !== 'skipped') || told.has(digest)) return;
      told.add(digest);
      host.err.write(`${state} ${digest} ${formatBytes(size)} (${progressText(progress.totals())})\n`);
    },
    close: () => undefined,
  };
}
