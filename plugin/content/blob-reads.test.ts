import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  blob,
  digest,
  isBlob,
  MIB,
  putBlob,
  readAll,
  readByCalls,
  setUp,
  steps,
  want,
} from '../../test/support/content/content-setup.ts';
import { FAKE_WRITE_BYTES } from '../../test/support/content/fake-source.ts';
import { settle } from './fakes/manual-clock.ts';

describe('read()', () => {
  it('gives bytes as they arrive, the last of them only with the proof', async () => {
    const { content, source } = setUp();
    const gate = steps();
    source.gate = gate.gate;
    const flight = content.fetch(want, 'cache');
    let count = 0;
    const reading = (async () => {
      const hash = createHash('sha256');
      for await (const chunk of content.read(digest, {}, { signal: new AbortController().signal })) {
        expect(chunk.length).toBeLessThanOrEqual(MIB);
        hash.update(chunk);
        count += chunk.length;
      }
      return hash.digest('hex');
    })();
    await gate.open(3);
    expect(count).toBe(3 * FAKE_WRITE_BYTES);
    const writes = Math.ceil(blob.length / FAKE_WRITE_BYTES);
    await gate.open(writes - 4);
    expect(count).toBeLessThan(blob.length);
    await gate.open(1);
    await flight.done;
    expect(`sha256:${await reading}`).toBe(digest);
  });

  it('moves the flight to where a reader waits', async () => {
    const { content, source } = setUp();
    const gate = steps();
    source.gate = gate.gate;
    content.fetch(want, 'cache');
    await gate.open(1);
    const part = readAll(content, { offset: 2 * MIB, length: 1000 });
    await gate.open(2);
    expect(await part).toEqual(blob.subarray(2 * MIB, 2 * MIB + 1000));
    expect(source.sent.map(({ start }) => start)).toEqual([0, FAKE_WRITE_BYTES, 2 * MIB]);
  });

  it('lets a slow reader hold nobody up', async () => {
    const { content } = setUp();
    const flight = content.fetch(want, 'cache');
    const slow = content.read(digest, {}, { signal: new AbortController().signal })[Symbol.asyncIterator]();
    const first = await slow.next();
    await flight.done;
    expect(isBlob(await readAll(content))).toBe(true);
    const rest: Uint8Array[] = [first.value];
    for (let next = await slow.next(); !next.done; next = await slow.next()) rest.push(next.value);
    expect(isBlob(Buffer.concat(rest))).toBe(true);
  });

  it('refuses what is not here and ranges that are none', async () => {
    const { content, store } = setUp();
    await expect(readAll(content)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await putBlob(store);
    await expect(readAll(content, { offset: blob.length + 1 })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await expect(readAll(content, { offset: -1 })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await expect(readAll(content, { length: -1 })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    expect((await readAll(content, { offset: blob.length })).length).toBe(0);
    expect(await readAll(content, { offset: blob.length - 5, length: 100 })).toEqual(blob.subarray(-5));
  });

  it('reads a small call’s neighbourhood once and closes what it opened', async () => {
    const { content, store, counts, clock } = setUp();
    await putBlob(store);
    await content.start({ signal: new AbortController().signal });
    expect(isBlob(await readByCalls(content, 32_768))).toBe(true);
    expect(counts.reads).toBeLessThanOrEqual(Math.ceil(blob.length / MIB) + 2);
    expect(counts.handles).toBe(1);
    await clock.advance(20_000);
    expect(counts.handles).toBe(0);
    expect(isBlob(await readAll(content))).toBe(true);
    expect(counts.handles).toBe(0);
    await readByCalls(content, 1000);
    await content.stop();
    expect(counts.handles).toBe(0);
  });

  it('follows a flight by small calls', async () => {
    const { content } = setUp();
    const flight = content.fetch(want, 'cache');
    expect(isBlob(await readByCalls(content, 32_768))).toBe(true);
    await flight.done;
  });

  it('gives no byte of a deleted blob from memory', async () => {
    const { content, store, counts } = setUp();
    await putBlob(store);
    await readAll(content, { length: 1000 });
    expect(content.readNow(digest, 1000, 1000)).toEqual(blob.subarray(1000, 2000));
    await store.release(digest, 'containerd', { keep: false });
    expect(content.readNow(digest, 2000, 1000)).toBeUndefined();
    await settle();
    expect(counts.handles).toBe(0);
  });
});
