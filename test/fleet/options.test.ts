import { describe, expect, it } from '@jest/globals';
import { parseFleetOptions, SCENARIO_NAMES } from './options.ts';

describe('parseFleetOptions()', () => {
  it('has a default for everything', () => {
    expect(parseFleetOptions([])).toEqual({
      nodes: 16,
      linkBytesPerSecond: 12_500_000,
      upstreamBytesPerSecond: 12_500_000,
      blobBytes: 128 * 2 ** 20,
      warmBytes: 32 * 2 ** 20,
      scenarios: SCENARIO_NAMES,
      rounds: 1,
      seed: 'fleet',
      preset: 'lan',
      congestion: undefined,
      store: 'tmpfs',
      logs: undefined,
      logLevel: 'info',
      nodeFlags: [],
      json: false,
    });
  });

  it('reads rates in bits and in bytes, sizes, and a list of scenarios', () => {
    const args = '--nodes 4 --link 1gbit --upstream 5MiB/s --blob 16MiB --scenario waves,liar --rounds 3 --json';
    expect(parseFleetOptions(args.split(' '))).toMatchObject({
      nodes: 4,
      linkBytesPerSecond: 125_000_000,
      upstreamBytesPerSecond: 5 * 2 ** 20,
      blobBytes: 2 ** 24,
      scenarios: ['waves', 'liar'],
      rounds: 3,
      json: true,
    });
  });

  it.each([
    ['--nodes', '1', /--nodes is "1", wanted a number from 2 to 200/],
    ['--nodes', '4x', /--nodes is "4x"/],
    ['--nodes', '201', /--nodes is "201"/],
    ['--rounds', '0', /--rounds/],
    ['--link', '100', /not a rate/],
    ['--blob', '2GiB', /--blob is "2GiB"/],
    ['--scenario', 'at-once,none', /--scenario is "none", wanted at-once, waves/],
    ['--preset', 'moon', /--preset is "moon", wanted local, lan, wan/],
    ['--nothing', '1', /nothing/],
  ])('refuses %s %s', (option, value, message) => {
    expect(() => parseFleetOptions([option, value])).toThrow(message);
  });
});
