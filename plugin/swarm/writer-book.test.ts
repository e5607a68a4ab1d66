import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { WriterBook } from './writer-book.ts';

const BLOB = digestOf('layer');
const nobody = (nowMs: number) => ({ nowMs, isThere: false });

describe('WriterBook', () => {
  it('ask() names two writers, the same when asked again, and lets everyone else claim', () => {
    const book = new WriterBook();
    const answers = ['a', 'b', 'c', 'd', 'a', 'c'].map((name) => book.ask(name, BLOB, nobody(0)));
    expect(answers).toEqual(['writer', 'writer', 'claim', 'claim', 'writer', 'claim']);
  });

  it('ask() names nobody when it is there already', () => {
    expect(new WriterBook().ask('a', BLOB, { nowMs: 0, isThere: true })).toBe('claim');
  });

  it('ask() replaces a writer that does not start or ends, by one that has not claimed', () => {
    const book = new WriterBook();
    for (const name of ['a', 'b', 'c']) book.ask(name, BLOB, nobody(0));
    book.started('b', BLOB);
    expect(book.ask('c', BLOB, nobody(11_000))).toBe('claim');
    expect(book.ask('d', BLOB, nobody(11_000))).toBe('writer');
    expect(book.ask('a', BLOB, nobody(11_000))).toBe('claim');
    book.memberGone('b');
    expect(book.ask('e', BLOB, nobody(12_000))).toBe('writer');
    expect(book.hasWriter(BLOB, 12_000)).toBe(true);
    expect(book.hasWriter(BLOB, 60_000)).toBe(false);
  });
});
