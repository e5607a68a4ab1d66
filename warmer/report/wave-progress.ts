/** How far each wave is, by bytes. Pure but for what it remembers of the waves that run. */
import { formatBytes } from '../../core/runtime/units.ts';
import type { SeedProgress, SeedResult } from '../../proto/shoal/seed/v1/seed-line.ts';
import { portionFor } from '../seed/portions.ts';
import type { SeedTask } from '../seed/seed-tasks.ts';

const BAR_WIDTH = 24;

export interface WaveState {
  readonly task: SeedTask;
  readonly bytesTotal: number;
  readonly bytesPresent: number;
  readonly pairs: number;
  readonly ended: number;
  readonly failed: number;
}

/** One wave. Its bytes are counted as the nodes tell them, each image on each node for itself. */
export class WaveProgress {
  readonly #task: SeedTask;
  readonly #present = new Map<string, number>();
  readonly #ended = new Set<string>();
  readonly #bytesTotal: number;
  #bytesPresent = 0;
  #failed = 0;

  constructor(task: SeedTask) {
    this.#task = task;
    this.#bytesTotal = bytesOf(task);
  }

  progress({ node, ref, bytes_present: bytes }: SeedProgress): void {
    this.#set(`${node} ${ref}`, bytes);
  }

  result({ node, ref, state, bytes_total: bytes }: SeedResult): void {
    const key = `${node} ${ref}`;
    if (state === 'present' || state === 'fetched') this.#set(key, bytes);
    else this.#failed += 1;
    this.#ended.add(key);
  }

  state(): WaveState {
    const task = this.#task;
    return {
      task,
      bytesTotal: Math.max(this.#bytesTotal, this.#bytesPresent),
      bytesPresent: this.#bytesPresent,
      pairs: task.nodes.length * task.images.length,
      ended: this.#ended.size,
      failed: this.#failed,
    };
  }

  #set(key: string, bytes: number): void {
    this.#bytesPresent += bytes - (this.#present.get(key) ?? 0);
    this.#present.set(key, bytes);
  }
}

/** `wave 2 of 3, 4 nodes  [######------]  50%  12 MiB of 24 MiB  docker.io/library/nginx:1.27 and 2 more`. */
export function waveLine(wave: WaveState): string {
  const { task, bytesPresent, bytesTotal, ended, pairs } = wave;
  const share = bytesTotal === 0 ? (pairs === 0 ? 1 : ended / pairs) : bytesPresent / bytesTotal;
  const filled = Math.floor(Math.min(1, share) * BAR_WIDTH);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`;
  const percent = `${Math.floor(Math.min(1, share) * 100)}%`.padStart(4);
  const failed = wave.failed === 0 ? '' : `  ${wave.failed} not warm`;
  return `${waveName(task)}  ${bar} ${percent}  ${formatBytes(bytesPresent)} of ${formatBytes(bytesTotal)}${failed}  ${imagesName(task)}`;
}

export function waveName({ kind, wave, waveCount, nodes }: SeedTask): string {
  const count = `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`;
  return kind === 'keep' ? `kept on ${count}` : `wave ${wave} of ${waveCount}, ${count}`;
}

export function imagesName({ images }: SeedTask): string {
  const more = images.length > 1 ? ` and ${images.length - 1} more` : '';
  return `${images[0]?.reference ?? ''}${more}`;
}

function bytesOf({ images, nodes }: SeedTask): number {
  const byPlatform = new Map<object, number>();
  let total = 0;
  for (const { platform } of nodes) {
    const known = byPlatform.get(platform);
    const bytes = known ?? images.reduce((sum, image) => sum + portionBytes(portionFor(image, platform)), 0);
    byPlatform.set(platform, bytes);
    total += bytes;
  }
  return total;
}

function portionBytes(portion: ReturnType<typeof portionFor>): number {
  return [...(portion?.manifests ?? []), ...(portion?.blobs ?? [])].reduce((sum, { size }) => sum + size, 0);
}
