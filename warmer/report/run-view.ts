/** Showing a run while it goes on: a bar for each wave that runs on a terminal, plain lines elsewhere. */
import { formatBytes } from '../../core/runtime/units.ts';
import type { SeedProgress, SeedResult } from '../../proto/shoal/seed/v1/seed-line.ts';
import type { SeedWatcher } from '../seed/run-seeds.ts';
import type { SeedTask } from '../seed/seed-tasks.ts';
import { imagesName, WaveProgress, waveLine, waveName } from './wave-progress.ts';

export interface RunView extends SeedWatcher {
  /** What happens before the first byte: reading, asking, planning. */
  say(text: string): void;
  /** Takes live lines away. */
  close(): void;
}

/** A line that is redrawn; `ora` makes it. */
export interface LiveText {
  text: string;
  stop(): void;
}

/** Bars on the screen at once. */
const BARS_MAX = 12;

export function createLiveView(live: LiveText): RunView {
  const waves = new Map<number, WaveProgress>();
  let before = 'reading the sources';
  const draw = () => {
    const lines = [...waves.values()].slice(0, BARS_MAX).map((wave) => waveLine(wave.state()));
    const more = waves.size > BARS_MAX ? [`… and ${waves.size - BARS_MAX} more`] : [];
    live.text = lines.length === 0 ? before : [...lines, ...more].join('\n  ');
  };
  return {
    say(text) {
      before = text;
      draw();
    },
    ...watching(waves),
    started(task) {
      waves.set(task.id, new WaveProgress(task));
      draw();
    },
    progress(task, progress) {
      waves.get(task.id)?.progress(progress);
      draw();
    },
    result(task, result) {
      waves.get(task.id)?.result(result);
      draw();
    },
    ended(task) {
      waves.delete(task.id);
      draw();
    },
    close: () => live.stop(),
  };
}

export function createPlainView(write: (line: string) => void): RunView {
  const waves = new Map<number, WaveProgress>();
  return {
    ...watching(waves),
    say: write,
    started(task) {
      waves.set(task.id, new WaveProgress(task));
      if (task.kind === 'wave') write(`${waveName(task)}: ${imagesName(task)}`);
    },
    result(task, result) {
      waves.get(task.id)?.result(result);
      if (result.state === 'fetched') {
        write(`${result.node}: fetched ${result.ref}, ${formatBytes(result.bytes_fetched)}`);
      } else if (result.state !== 'present') {
        write(`${result.node}: ${result.state} ${result.ref}: ${result.reason ?? result.code ?? ''}`);
      }
    },
    ended(task) {
      const wave = waves.get(task.id);
      waves.delete(task.id);
      if (wave !== undefined && task.kind === 'wave') write(waveLine(wave.state()));
    },
    close: () => undefined,
  };
}

export const silentView: RunView = {
  say: () => undefined,
  started: () => undefined,
  progress: () => undefined,
  result: () => undefined,
  ended: () => undefined,
  close: () => undefined,
};

function watching(waves: ReadonlyMap<number, WaveProgress>): SeedWatcher {
  return {
    started: () => undefined,
    progress: (task: SeedTask, progress: SeedProgress) => waves.get(task.id)?.progress(progress),
    result: (task: SeedTask, result: SeedResult) => waves.get(task.id)?.result(result),
    ended: () => undefined,
  };
}
