import { describe, expect, it } from '@jest/globals';
import { PieceBuffer } from './piece-buffer.ts';
import { PieceMemory, pieceMemory, SPARE_BYTES_MAX } from './piece-memory.ts';

const MIB = 1024 * 1024;
const NO_END = new AbortController().signal;
const filled = (byte: number) => {
  const buffer = new PieceBuffer({ start: 0, end: MIB });
  buffer.append(Buffer.alloc(MIB, byte));
  return buffer;
};

describe('PieceBuffer', () => {
  it('keeps its bytes for whoever reads along, also when it is dropped and others are filled', async () => {
    const first = filled(1);
    const reading = first.open(NO_END).chunks[Symbol.asyncIterator]();
    const chunks = [(await reading.next()).value];
    first.accept('sha256');
    first.drop();
    const others = [filled(2), filled(3)];
    for (let next = await reading.next(); next.done !== true; next = await reading.next()) chunks.push(next.value);
    expect(Buffer.concat(chunks).equals(Buffer.alloc(MIB, 1))).toBe(true);
    for (const other of others) other.drop();
  });

  it('append() and a new reader fail once it was dropped, and touch the memory of no other piece', async () => {
    const first = filled(1);
    const late = first.open(NO_END).chunks[Symbol.asyncIterator]();
    const stays = filled(3);
    first.drop();
    const second = filled(2);
    expect(() => first.append(Buffer.alloc(1))).toThrow('dropped');
    await expect(late.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect([first.bytes.length, second.bytes[0], stays.bytes[0]]).toEqual([0, 2, 3]);
    first.drop();
    const third = filled(4);
    expect(second.bytes[0]).toBe(2);
    for (const other of [stays, second, third]) other.drop();
  });
});

describe('PieceMemory', () => {
  it('gives the same memory again while other pieces are on their way, up to its bound, and keeps none afterwards', () => {
    const memory = new PieceMemory();
    const stays = memory.take(8 * MIB);
    const taken = Array.from({ length: 6 }, () => memory.take(8 * MIB));
    for (const one of taken) memory.giveBack(one);
    const again = taken.map(() => memory.take(8 * MIB));
    expect(again.filter((one) => taken.includes(one))).toHaveLength(SPARE_BYTES_MAX / (8 * MIB));
    for (const one of [...again, stays]) memory.giveBack(one);
    expect(taken).not.toContain(memory.take(8 * MIB));
  });

  it('is empty when no piece is on its way', () => {
    const buffer = filled(1);
    const { bytes } = buffer;
    buffer.drop();
    const next = pieceMemory.take(MIB);
    expect(next).not.toBe(bytes);
    pieceMemory.giveBack(next);
  });

  it('disown() ends reading along, and takes the rest of the piece', async () => {
    const buffer = new PieceBuffer({ start: 0, end: MIB });
    buffer.append(Buffer.alloc(MIB / 2, 7));
    const reading = buffer.open(NO_END);
    const chunks = reading.chunks[Symbol.asyncIterator]();
    expect((await chunks.next()).value?.[0]).toBe(7);
    expect(buffer.hasRoom).toBe(true);
    buffer.disown();
    expect(buffer.hasRoom).toBe(false);
    await expect(reading.sha256).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    buffer.append(Buffer.alloc(MIB / 2, 7));
    expect(buffer.isFull).toBe(true);
    await chunks.return?.();
    buffer.drop();
  });
});
