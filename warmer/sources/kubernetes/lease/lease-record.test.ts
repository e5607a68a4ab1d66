import { describe, expect, it } from '@jest/globals';
import {
  isHeldByOther,
  leaseObject,
  type LeaseRecord,
  observe,
  readLease,
  releasedFrom,
  takenBy,
} from './lease-record.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
const OTHERS: LeaseRecord = {
  holder: 'other',
  durationMs: 15_000,
  acquireTime: '1999-01-01T00:00:00.000000Z',
  renewTime: '1999-01-01T00:00:00.000000Z',
  transitions: 3,
};

describe('isHeldByOther()', () => {
  it('counts from when a record was first seen as it is, whatever time stands in it', () => {
    const first = observe(undefined, OTHERS, 1_000);
    expect(isHeldByOther(first, 'me', 15_999)).toBe(true);
    expect(isHeldByOther(first, 'me', 16_000)).toBe(false);
    const again = observe(first, { ...OTHERS }, 10_000);
    expect(isHeldByOther(again, 'me', 16_000)).toBe(false);
    const renewed = observe(again, { ...OTHERS, renewTime: '1999-01-01T00:00:02.000000Z' }, 10_000);
    expect(isHeldByOther(renewed, 'me', 16_000)).toBe(true);
  });

  it("is false for our own and for nobody's", () => {
    expect(isHeldByOther(observe(undefined, OTHERS, 0), 'other', 1)).toBe(false);
    expect(isHeldByOther(observe(undefined, { ...OTHERS, holder: '' }, 0), 'me', 1)).toBe(false);
  });
});

describe('takenBy()', () => {
  const us = { holder: 'me', durationMs: 15_000, nowMs: NOW };
  const now = '2026-01-02T03:04:05.006000Z';

  it('counts the change of hands, and keeps the time of taking while it is renewed', () => {
    expect(takenBy(undefined, us)).toEqual({
      holder: 'me',
      durationMs: 15_000,
      acquireTime: now,
      renewTime: now,
      transitions: 0,
    });
    const taken = takenBy(OTHERS, us);
    expect(taken).toMatchObject({ acquireTime: now, transitions: 4 });
    expect(takenBy(taken, { ...us, nowMs: NOW + 2_000 })).toMatchObject({
      acquireTime: now,
      renewTime: '2026-01-02T03:04:07.006000Z',
      transitions: 4,
    });
  });

  it('is undone by giving it back', () => {
    expect(releasedFrom(takenBy(OTHERS, us), NOW)).toMatchObject({ holder: '', durationMs: 1_000, transitions: 4 });
  });
});

describe('leaseObject()', () => {
  it('keeps what others wrote, and is read as it was written', () => {
    const before = { metadata: { name: 'l', resourceVersion: '7', labels: { a: 'b' } }, spec: { strategy: 'x' } };
    const record = takenBy(undefined, { holder: 'me', durationMs: 1_500, nowMs: NOW });
    const object = leaseObject({ namespace: 'n', name: 'l' }, record, before);
    expect(object).toMatchObject({ metadata: before.metadata, spec: { strategy: 'x', leaseDurationSeconds: 2 } });
    expect(readLease(object)).toEqual({ ...record, durationMs: 2_000 });
    expect(leaseObject({ namespace: 'n', name: 'l' }, record)).toMatchObject({
      metadata: { namespace: 'n', name: 'l' },
    });
  });
});
