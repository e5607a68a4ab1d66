import { describe, expect, it } from '@jest/globals';
import { parseDigest } from '../../../core/oci/digest.ts';
import { SWARMS_SHOWN_MAX, SWARM_MEMBERS_SHOWN_MAX, swarmViews } from './swarm-view.ts';

const digestOf = (at: number) => parseDigest(`sha256:${at.toString(16).padStart(64, '0')}`);
const swarm = (at: number, more = {}) => ({
  digest: digestOf(at),
  ...{ size: 100, pieces: 2, piecesHere: 1, map: '90', leases: 0, bytesFromPeers: 5, bytesFromSource: 1 },
  ...more,
});

describe('swarmViews()', () => {
  it('puts together who downloads a blob, those with the least first', () => {
    const views = swarmViews(
      [
        { name: 'a', zone: 'z', swarms: [swarm(1, { piecesHere: 2, map: '99' })] },
        { name: 'b', zone: '', swarms: [swarm(1)] },
      ],
      () => ['r.example/app'],
    );
    expect(views).toMatchObject([
      {
        sources: ['r.example/app'],
        members: 2,
        map: '95',
        bytes_from_peers: 10,
        bytes_from_source: 2,
        rows: [{ name: 'b' }, { name: 'a' }],
      },
    ]);
  });

  it('leaves out who means another size, and is bounded', () => {
    const liar = { name: 'liar', zone: '', swarms: [swarm(1, { size: 1 })] };
    const many = Array.from({ length: 100 }, (_, at) => ({ name: `n${at}`, zone: '', swarms: [swarm(1)] }));
    const [view] = swarmViews([...many, liar], () => []);
    expect(view).toMatchObject({ members: 100 });
    expect(view?.rows).toHaveLength(SWARM_MEMBERS_SHOWN_MAX);
    const all = { name: 'a', zone: '', swarms: Array.from({ length: 100 }, (_, at) => swarm(at)) };
    expect(swarmViews([all], () => [])).toHaveLength(SWARMS_SHOWN_MAX);
  });
});
