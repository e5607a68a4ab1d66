import { describe, expect, it } from '@jest/globals';
import { shapeArguments } from './shaping.ts';

describe('shapeArguments()', () => {
  it('writes bits for the rate and lets a whole segment pass', () => {
    expect(shapeArguments('eth0', 12_500_000).join(' ')).toBe(
      'qdisc replace dev eth0 root tbf rate 100000000bit burst 69632b latency 50ms',
    );
  });

  it('lets more pass at once on a fast link, which the timer could not fill otherwise', () => {
    expect(shapeArguments('eth0', 125_000_000)).toContain('625000b');
  });
});
