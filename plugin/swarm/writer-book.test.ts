import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { type CrowdSeen, WriterBook } from './writer-book.ts';

const BLOB = digestOf('layer');
const seen = (nowMs: number, more: Partial<CrowdSeen> = {}): CrowdSeen => ({
  nowMs,
  isThere: false,
  writing: new Set(),
  mayWrite: true,
  ...more,
});
const writing = (...names: string[]) => ({ writing: new Set(names) });

describe('WriterBook', () => {
  it('ask() names two writers, the same when asked again, and lets everyone else claim', () => {
    const book = new WriterBook();
    const answers = ['a', 'b', 'c', 'd', 'a', 'c'].map((name) => book.ask(name, BLOB, seen(0)));
    expect(answers).toEqual(['writer', 'writer', 'claim', 'claim', 'writer', 'claim']);
  });

  it('ask() names nobody when it is there already', () => {
    expect(new WriterBook().ask('a', BLOB, seen(0, { isThere: true }))).toBe('claim');
  });

  it('ask() counts Writes that nobody was named for', () => {
    const book = new WriterBook();
    expect(book.ask('a', BLOB, seen(0, writing('x')))).toBe('writer');
    expect(book.ask('b', BLOB, seen(0, writing('x')))).toBe('claim');
  });

  it('ask() does not name one that may not write', () => {
    expect(new WriterBook().ask('a', BLOB, seen(0, { mayWrite: false }))).toBe('nobody');
  });

  it('ask() replaces a writer that does not start, by one that has not claimed', () => {
    const book = new WriterBook();
    for (const name of ['a', 'b', 'c']) book.ask(name, BLOB, seen(0));
    expect(book.ask('c', BLOB, seen(11_000, writing('b')))).toBe('claim');
    expect(book.ask('d', BLOB, seen(11_000, writing('b')))).toBe('writer');
    expect(book.ask('a', BLOB, seen(11_000, writing('b')))).toBe('claim');
  });

  it('ask() replaces a writer whose Write ended without a blob, or that is gone', () => {
    const book = new WriterBook();
    for (const name of ['a', 'b']) book.ask(name, BLOB, seen(0));
    book.ask('c', BLOB, seen(1_000, writing('a', 'b')));
    expect(book.ask('d', BLOB, seen(2_000, writing('b')))).toBe('writer');
    book.memberGone('b');
    expect(book.ask('e', BLOB, seen(3_000, writing('d')))).toBe('writer');
  });

  it('ask() says so when nobody is left: the claims of the others have to be given back', () => {
    const book = new WriterBook();
    for (const name of ['a', 'b', 'c']) book.ask(name, BLOB, seen(0));
    expect(book.ask('c', BLOB, seen(60_000))).toBe('nobody');
    expect(book.ask('a', BLOB, seen(60_000))).toBe('nobody');
    expect(book.ask('d', BLOB, seen(60_000))).toBe('writer');
  });
});
