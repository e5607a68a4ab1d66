import { describe, expect, it } from '@jest/globals';
import { createMetrics } from './metrics.ts';

describe('createMetrics()', () => {
  it('sum() adds what carries all labels', async () => {
    const metrics = createMetrics({ process: false });
    const bytes = metrics.counter({ name: 'bytes_total', help: 'x', labels: ['direction', 'zone'] });
    bytes.add(3, { direction: 'in', zone: 'a' });
    bytes.add(4, { direction: 'in', zone: 'b' });
    bytes.add(5, { direction: 'out', zone: 'a' });
    expect(await metrics.sum('bytes_total')).toBe(12);
    expect(await metrics.sum('bytes_total', { direction: 'in' })).toBe(7);
    expect(await metrics.sum('nothing_total')).toBe(0);
  });

  it('a counter adds what was gathered before it is read, in sums and scrapes', async () => {
    const metrics = createMetrics({ process: false });
    let gathered = 5;
    const counter = metrics.counter({
      name: 'gathered_total',
      help: 'x',
      beforeRead: () => {
        counter.add(gathered);
        gathered = 0;
      },
    });
    expect(await metrics.sum('gathered_total')).toBe(5);
    gathered = 2;
    expect((await metrics.scrape()).text).toContain('gathered_total 7');
  });
});
