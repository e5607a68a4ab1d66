import { describe, expect, it } from '@jest/globals';
import { LEASES_OUT_MAX, LeaseBook } from './lease-book.ts';

const pieces = (count: number) => Array.from({ length: count }, (_, at) => at);

function bookWith(...members: string[]): LeaseBook {
  const book = new LeaseBook();
  for (const member of members) book.setReader(member, true);
  return book;
}

describe('LeaseBook', () => {
  it('grant() lets the only reader have several at once, when it has brought some', () => {
    const book = bookWith('a');
    for (const piece of [0, 1]) {
      expect(book.grant('a', pieces(9).slice(piece), { wanted: 8, nowMs: 0 })).toHaveLength(1);
      book.brought('a', piece, 1_000);
    }
    expect(book.grant('a', pieces(9).slice(2), { wanted: 8, nowMs: 1_000 })).toHaveLength(4);
  });

  it('grant() gives a piece to one member only, and few at the very start', () => {
    const book = bookWith('a', 'b', 'c');
    expect(book.grant('a', pieces(9), { wanted: 8, nowMs: 0 }).map(({ piece }) => piece)).toEqual([0]);
    expect(book.grant('b', pieces(9), { wanted: 8, nowMs: 0 }).map(({ piece }) => piece)).toEqual([1]);
    expect(book.grant('c', pieces(9), { wanted: 8, nowMs: 0 })).toEqual([]);
  });

  it('grant() gives nothing to one that cannot read the source', () => {
    expect(bookWith('a').grant('b', pieces(9), { wanted: 1, nowMs: 0 })).toEqual([]);
  });

  it('grant() spreads pieces over the members, and never has too many out', () => {
    const names = Array.from({ length: 12 }, (_, at) => `m${at}`);
    const book = bookWith(...names);
    const counts = new Map<string, number>();
    let piece = 0;
    for (let round = 0; round < 40; round += 1) {
      for (const name of names) {
        const at = round * 1_000;
        const [lease] = book.grant(name, pieces(1_000).slice(piece), { wanted: 1, nowMs: at });
        if (lease === undefined) continue;
        piece = lease.piece + 1;
        counts.set(name, (counts.get(name) ?? 0) + 1);
        expect(book.out).toBeLessThanOrEqual(LEASES_OUT_MAX);
        if (round % 2 === 1 || book.out === LEASES_OUT_MAX) book.brought(name, lease.piece, at + 500);
      }
      for (const name of names) book.settle(name, [], round * 1_000 + 600);
    }
    const given = names.map((name) => counts.get(name) ?? 0);
    expect(Math.max(...given) - Math.min(...given)).toBeLessThanOrEqual(2);
  });

  it('grant() lets one that comes late take turns, not catch up first', () => {
    const book = bookWith('a', 'b');
    for (let piece = 0; piece < 20; piece += 1) {
      const member = piece % 2 === 0 ? 'a' : 'b';
      expect(book.grant(member, [piece], { wanted: 1, nowMs: piece * 1_000 })).toHaveLength(1);
      book.brought(member, piece, piece * 1_000 + 900);
    }
    book.setReader('late', true);
    expect(book.grant('late', [20], { wanted: 1, nowMs: 20_000 })).toHaveLength(1);
    expect(book.grant('a', [21], { wanted: 1, nowMs: 20_000 })).toHaveLength(1);
  });

  it('grant() waits for the turn of nobody that has nothing to fetch', () => {
    const book = bookWith('a', 'idle');
    for (let piece = 0; piece < 20; piece += 1) {
      book.grant('idle', [], { wanted: 1, nowMs: piece * 1_000 });
      expect(book.grant('a', [piece], { wanted: 1, nowMs: piece * 1_000 })).toHaveLength(1);
      book.brought('a', piece, piece * 1_000 + 900);
    }
  });

  it('returned() ends a lease at once, and asks a refused member no more, one told "later" later', () => {
    const book = bookWith('a', 'b');
    book.grant('a', pieces(1), { wanted: 1, nowMs: 0 });
    book.returned('a', 0, { nowMs: 10, reason: 'refused' });
    expect(book.isLeased(0)).toBe(false);
    expect(book.grant('a', pieces(1), { wanted: 1, nowMs: 20 })).toEqual([]);
    book.grant('b', pieces(1), { wanted: 1, nowMs: 20 });
    book.returned('b', 0, { nowMs: 30, reason: 'later' });
    expect(book.grant('b', pieces(1), { wanted: 1, nowMs: 1_000 })).toEqual([]);
    expect(book.grant('b', pieces(1), { wanted: 1, nowMs: 20_000 })).toHaveLength(1);
  });

  it('expire() frees the pieces of a holder that is silent; remove() those of one that is gone', () => {
    const book = bookWith('a', 'b');
    const [lease] = book.grant('a', pieces(1), { wanted: 1, nowMs: 0 });
    book.expire((lease?.endsInMs ?? 0) - 1);
    expect(book.isLeased(0)).toBe(true);
    book.expire(lease?.endsInMs ?? 0);
    expect(book.isLeased(0)).toBe(false);
    book.grant('b', pieces(1), { wanted: 1, nowMs: 60_000 });
    book.remove('b');
    expect(book.out).toBe(0);
  });

  it('settle() takes leases in that an earlier owner gave, and drops those that are not named any more', () => {
    const book = bookWith('a');
    book.settle('a', [{ piece: 3, percent: 0 }], 0);
    expect(book.isLeased(3)).toBe(true);
    book.settle('a', [], 100);
    expect(book.isLeased(3)).toBe(false);
    book.settle('a', [{ piece: 4, percent: 100 }], 200);
    expect(book.isLeased(4)).toBe(false);
  });

  it('grant() prefers others to one that says it is slow, and takes it when nobody else can', () => {
    const book = bookWith('quick');
    book.setReader('slow', true, true);
    expect(book.grant('slow', pieces(1), { wanted: 1, nowMs: 0 })).toEqual([]);
    book.setReader('quick', false);
    expect(book.grant('slow', pieces(1), { wanted: 1, nowMs: 0 })).toHaveLength(1);
  });

  it('renew() lets a lease last that comes as the others do, and not one that is far slower', () => {
    const book = bookWith('a', 'b', 'slow');
    for (const [at, name] of ['a', 'b'].entries()) book.grant(name, pieces(9).slice(at), { wanted: 1, nowMs: 0 });
    book.settle('slow', [{ piece: 5, percent: 0 }], 0);
    expect(book.renew('a', 6_000)).toEqual([]);
    book.settle('a', [{ piece: 0, percent: 40 }], 6_000);
    book.settle('b', [{ piece: 1, percent: 30 }], 6_000);
    book.settle('slow', [{ piece: 5, percent: 5 }], 6_000);
    expect(book.renew('a', 6_000)).toEqual([{ piece: 0, endsInMs: 16_500 }]);
    expect(book.renew('b', 6_000)).toHaveLength(1);
    expect(book.renew('slow', 6_000)).toEqual([]);
    book.expire(12_000);
    expect([0, 1, 5].map((piece) => book.isLeased(piece))).toEqual([true, true, false]);
  });

  it('renew() never lets one last longer than a minute', () => {
    const book = bookWith('a');
    book.grant('a', [9], { wanted: 1, nowMs: 0 });
    book.brought('a', 9, 15_000);
    book.grant('a', [0], { wanted: 1, nowMs: 0 });
    book.settle('a', [{ piece: 0, percent: 45 }], 20_000);
    book.renew('a', 20_000);
    expect(book.renew('a', 20_000)).toEqual([]);
    book.settle('a', [{ piece: 0, percent: 80 }], 59_000);
    book.renew('a', 59_000);
    book.expire(59_999);
    expect(book.isLeased(0)).toBe(true);
    book.expire(60_001);
    expect(book.isLeased(0)).toBe(false);
  });

  it('expire() leaves a late one alone that will be here before another could bring it', () => {
    const book = bookWith('a', 'b');
    book.grant('a', [9], { wanted: 1, nowMs: 0 });
    book.brought('a', 9, 4_000);
    const [lease] = book.grant('a', [0], { wanted: 1, nowMs: 4_000 });
    const endMs = 4_000 + (lease?.endsInMs ?? 0);
    book.settle('a', [{ piece: 0, percent: 60 }], endMs - 100);
    book.expire(endMs);
    expect(book.isLeased(0)).toBe(true);
    book.expire(endMs + 10_000);
    expect(book.isLeased(0)).toBe(false);
  });

  it('grant() does not wait for one that is many times slower than the others when nothing else is left', () => {
    const book = bookWith('quick', 'slow');
    book.grant('slow', pieces(1), { wanted: 1, nowMs: 0 });
    book.grant('quick', [1], { wanted: 1, nowMs: 0 });
    book.settle('slow', [{ piece: 0, percent: 10 }], 4_000);
    expect(book.grant('quick', [0], { wanted: 1, nowMs: 4_000 })).toEqual([]);
    book.brought('quick', 1, 1_000);
    expect(book.grant('quick', [0, 2], { wanted: 1, nowMs: 4_000 }).map(({ piece }) => piece)).toEqual([2]);
    book.brought('quick', 2, 5_000);
    expect(book.grant('quick', [0], { wanted: 1, nowMs: 5_000 }).map(({ piece }) => piece)).toEqual([0]);
  });

  it('expire() gives the piece to another one, whatever the slow one goes on with', () => {
    const book = bookWith('quick', 'slow');
    book.grant('slow', [0], { wanted: 1, nowMs: 0 });
    book.expire(60_000);
    book.settle('slow', [{ piece: 0, percent: 20 }], 60_000);
    expect(book.isLeased(0)).toBe(false);
    expect(book.grant('slow', [0], { wanted: 1, nowMs: 60_000 })).toEqual([]);
    expect(book.grant('quick', [0], { wanted: 1, nowMs: 60_000 })).toHaveLength(1);
  });

  it('expire() gives the piece to the same one again when nobody else took it for a while', () => {
    const book = bookWith('idle', 'slow');
    book.grant('slow', [0], { wanted: 1, nowMs: 0 });
    book.expire(60_000);
    expect(book.grant('slow', [0], { wanted: 1, nowMs: 70_000 })).toHaveLength(1);
  });

  it('grant() does not take a slow beginning for a slow member', () => {
    const book = bookWith('a', 'b', 'c');
    for (const [at, name] of ['a', 'b'].entries()) book.grant(name, [at], { wanted: 1, nowMs: 0 });
    for (const [at, name] of ['a', 'b'].entries()) book.brought(name, at, 8_000);
    book.grant('c', [2], { wanted: 1, nowMs: 8_000 });
    book.settle('c', [{ piece: 2, percent: 6 }], 11_500);
    expect(book.grant('a', [2], { wanted: 1, nowMs: 11_500 })).toEqual([]);
    book.settle('c', [{ piece: 2, percent: 10 }], 17_000);
    expect(book.grant('a', [2], { wanted: 1, nowMs: 17_000 })).toHaveLength(1);
  });
});
