import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { PIECE_DIGESTS_MAX, PieceDigests } from './piece-digests.ts';

const request = (start: number) => ({ digest: digestOf('blob'), range: { start, end: start + 4 } });

describe('PieceDigests', () => {
  it('find() gives what was kept for the same blob and range, and nothing else', () => {
    const digests = new PieceDigests();
    digests.keep(request(0), 'a');
    expect(digests.find(request(0))).toBe('a');
    expect(digests.find(request(4))).toBeUndefined();
    expect(digests.find({ ...request(0), digest: digestOf('other') })).toBeUndefined();
  });

  it('keep() forgets what nobody asked for longest when there are too many', () => {
    const digests = new PieceDigests();
    for (let start = 0; start < PIECE_DIGESTS_MAX; start += 1) digests.keep(request(start), `${start}`);
    digests.find(request(0));
    digests.keep(request(PIECE_DIGESTS_MAX), 'new');
    expect(digests.find(request(0))).toBe('0');
    expect(digests.find(request(1))).toBeUndefined();
    expect(digests.find(request(PIECE_DIGESTS_MAX))).toBe('new');
  });
});
