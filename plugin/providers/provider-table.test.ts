import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { KEEP_MS, ProviderTable } from './provider-table.ts';

const whole = { state: 'whole', pieces: 0, nowMs: 0 } as const;

describe('ProviderTable', () => {
  it('put() refuses what is over a bound, and takes it once there is room', () => {
    const table = new ProviderTable({ digestsMax: 3, providersMax: 2, digestsPerMemberMax: 2 });
    expect(table.put('a', digestOf('1'), whole)).toBe(true);
    expect(table.put('a', digestOf('2'), whole)).toBe(true);
    expect(table.put('a', digestOf('3'), whole)).toBe(false);
    expect(table.put('b', digestOf('1'), whole)).toBe(true);
    expect(table.put('c', digestOf('1'), whole)).toBe(false);
    expect(table.put('c', digestOf('3'), whole)).toBe(true);
    expect(table.put('d', digestOf('4'), whole)).toBe(false);
    table.remove('a', digestOf('2'));
    expect(table.put('d', digestOf('4'), whole)).toBe(true);
  });

  it('providers() forgets what was not told again', () => {
    const table = new ProviderTable();
    table.put('a', digestOf('1'), whole);
    table.put('b', digestOf('1'), { ...whole, nowMs: KEEP_MS / 2 });
    expect(table.providers(digestOf('1'), KEEP_MS).map(({ name }) => name)).toEqual(['b']);
    table.expire(KEEP_MS * 2);
    expect(table.digestCount).toBe(0);
    expect([...table.members()]).toEqual([]);
  });

  it('removeMember() takes everything along that the member told', () => {
    const table = new ProviderTable();
    for (const blob of ['1', '2', '3']) table.put('a', digestOf(blob), whole);
    table.put('b', digestOf('2'), { state: 'fetching', pieces: 4, nowMs: 0 });
    table.removeMember('a');
    expect(table.digestCount).toBe(1);
    expect(table.providers(digestOf('2'), 1)).toEqual([{ name: 'b', state: 'fetching', pieces: 4 }]);
  });
});
