import { describe, expect, it } from '@jest/globals';
import { POINTS_MAX, TrafficHistory } from './traffic-history.ts';

const counted = (bytes: number) => ({ bytesFromRegistries: bytes, bytesFromPeers: 2 * bytes, bytesServed: 0 });

describe('TrafficHistory', () => {
  it('tells bytes a second since the last look', () => {
    const history = new TrafficHistory();
    expect(history.sample(0, [['a', counted(1_000)]])).toBeUndefined();
    expect(history.sample(5_000, [['a', counted(6_000)]])).toEqual({
      at: 5_000,
      registries: 1_000,
      peers: 2_000,
      served: 0,
    });
  });

  it('a member that is new brings no flood, one that started again no negative', () => {
    const history = new TrafficHistory();
    history.sample(0, [['a', counted(9_000)]]);
    const point = history.sample(1_000, [
      ['a', counted(50)],
      ['b', counted(1e12)],
    ]);
    expect(point).toMatchObject({ registries: 50, peers: 100 });
  });

  it('is bounded', () => {
    const history = new TrafficHistory();
    for (let at = 0; at < 1_000; at += 1) history.sample(at * 5_000, [['a', counted(at)]]);
    expect(history.points()).toHaveLength(POINTS_MAX);
    expect(history.points().at(-1)?.at).toBe(999 * 5_000);
  });
});
