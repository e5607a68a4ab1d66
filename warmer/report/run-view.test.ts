import { describe, expect, it } from '@jest/globals';
import { result, waveTask } from '../../test/support/warm/seed-fixtures.ts';
import { createLiveView, createPlainView } from './run-view.ts';

const WEB = 'registry.example/web:1';
const progress = (node: string, bytes: number) => ({
  kind: 'progress' as const,
  ...{ node, ref: WEB, digest: 'sha256:0', state: 'fetching' as const, bytes_total: 1030, bytes_present: bytes },
});

describe('createLiveView()', () => {
  it('shows a bar for each wave that runs, by bytes, and takes it away', () => {
    const live = { text: '', stop: () => undefined };
    const view = createLiveView(live);
    view.say('reading');
    expect(live.text).toBe('reading');
    const [first, second] = [waveTask(0, ['a', 'b'], { waveCount: 2 }), waveTask(1, ['c'])];
    view.started(first);
    view.started(second);
    view.progress(first, progress('a', 515));
    view.progress(first, progress('a', 1030));
    expect(live.text.split('\n')).toEqual([
      `wave 1 of 2, 2 nodes  [############------------]  50%  1 KiB of 2 KiB  ${WEB}`,
      `  wave 1 of 1, 1 node  [------------------------]   0%  0 B of 1 KiB  ${WEB}`,
    ]);
    view.result(second, result('c', WEB, { state: 'failed' }));
    expect(live.text).toContain('1 not warm');
    view.ended(second);
    expect(live.text.split('\n')).toHaveLength(1);
  });
});

describe('createPlainView()', () => {
  it('tells what moved and what went wrong, a line each', () => {
    const lines: string[] = [];
    const view = createPlainView((line) => lines.push(line));
    const task = waveTask(0, ['a', 'b', 'c']);
    view.started(task);
    view.result(task, result('a', WEB));
    view.result(task, result('b', WEB, { state: 'present', bytes_fetched: 0 }));
    view.result(task, result('c', WEB, { state: 'skipped', reason: 'No room' }));
    view.ended(task);
    expect(lines).toEqual([
      `wave 1 of 1, 3 nodes: ${WEB}`,
      `a: fetched ${WEB}, 1 KiB`,
      `c: skipped ${WEB}: No room`,
      `wave 1 of 1, 3 nodes  [################--------]  66%  2 KiB of 3 KiB  1 not warm  ${WEB}`,
    ]);
  });
});
