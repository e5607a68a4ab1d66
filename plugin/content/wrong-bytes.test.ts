import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import {
  blob,
  digest,
  isBlob,
  readAll,
  readByCalls,
  setUp,
  steps,
  want,
} from '../../test/support/content/content-setup.ts';
import { writeBlob } from '../store/test-store.ts';
import { FakeSource } from '../../test/support/content/fake-source.ts';

describe('wrong bytes', () => {
  const wrong = Buffer.from(blob);
  wrong[blob.length - 1] = (wrong[blob.length - 1] ?? 0) ^ 1;

  it('never complete a reader and leave nothing on disk', async () => {
    const { content, source, store } = setUp();
    source.bytes = wrong;
    const flight = content.fetch(want, 'containerd');
    const long = readAll(content).catch((error: unknown) => error);
    const calls = readByCalls(content, 32_768).catch((error: unknown) => error);
    await expect(flight.done).rejects.toMatchObject({ code: 'DATA_LOSS' });
    expect(await long).toMatchObject({ code: 'DATA_LOSS' });
    expect(await calls).toMatchObject({ code: 'DATA_LOSS' });
    expect(source.fetches).toBe(2);
    expect(source.toldWrong).toBe(2);
    expect(store.stat(digest)).toBeUndefined();
    expect([...store.partials()]).toEqual([]);
  });

  it('are replaced by a second try, which no reader of the first may continue', async () => {
    const { content, source } = setUp();
    const fooled = Buffer.from(blob);
    fooled[0] = (fooled[0] ?? 0) ^ 1;
    source.bytes = fooled;
    const gate = steps();
    source.gate = gate.gate;
    const flight = content.fetch(want, 'cache');
    const first = Buffer.alloc(32_768);
    await gate.open(1);
    first.set(await readAll(content, { length: 32_768 }));
    expect(first[0]).toBe(fooled[0]);
    source.sentWrongBytes = () => {
      source.bytes = blob;
    };
    source.gate = () => undefined;
    await gate.open(1);
    await flight.done;
    expect(content.readNow(digest, 32_768, 32_768)).toBeUndefined();
    await expect(readAll(content, { offset: 32_768, length: 32_768 })).rejects.toMatchObject({ code: 'DATA_LOSS' });
    expect(isBlob(await readAll(content))).toBe(true);
    expect((await readAll(content, { offset: 32_768, length: 10 })).length).toBe(10);
  });

  it('of one source are followed by the other source alone', async () => {
    const [liar, honest] = [new FakeSource('liar', wrong), new FakeSource('honest', blob)];
    const { content, store } = setUp([liar, honest]);
    await content.fetch(want, 'cache').done;
    expect(liar.fetches).toBe(2);
    expect(honest.fetches).toBe(1);
    expect(store.stat(digest)?.size).toBe(blob.length);
  });

  it('left by an earlier run are fetched again', async () => {
    const { content, store } = setUp();
    const partial = await store.openPartial(digest, blob.length);
    await partial.write(0, wrong);
    await partial.close();
    await content.fetch(want, 'cache').done;
    expect(store.stat(digest)?.size).toBe(blob.length);
  });

  it('end a reader that had some of them, although the blob came by other hands', async () => {
    const { content, source, store } = setUp();
    const fooled = Buffer.from(blob);
    fooled[0] = (fooled[0] ?? 0) ^ 1;
    source.bytes = fooled;
    const gate = steps();
    source.gate = gate.gate;
    const flight = content.fetch(want, 'cache');
    const reading = readAll(content).catch((error: unknown) => error);
    await gate.open(2);
    expect((await readAll(content, { length: 32_768 }))[0]).toBe(fooled[0]);
    await writeBlob(store, blob);
    content.arrived(digest);
    await flight.done;
    expect(await reading).toMatchObject({ code: 'DATA_LOSS' });
    await expect(readAll(content, { offset: 32_768, length: 32_768 })).rejects.toMatchObject({ code: 'DATA_LOSS' });
    expect(isBlob(await readByCalls(content, 32_768))).toBe(true);
  });

  /** Readers have had the fooled start, and the blob lies on the disk, of which nobody has told the heart yet. */
  async function blobBesideFlight(bytes: Buffer) {
    const { content, source, store } = setUp();
    source.bytes = bytes;
    const gate = steps();
    source.gate = gate.gate;
    const flight = content.fetch(want, 'cache');
    const reading = readAll(content).catch((error: unknown) => error);
    await gate.open(2);
    expect((await readAll(content, { length: 32_768 }))[0]).toBe(bytes[0]);
    await writeBlob(store, blob);
    const tail = readAll(content, { offset: blob.length - 10, length: 10 }).catch((error: unknown) => error);
    await gate.open(2);
    return { content, source, flight, reading, tail, gate };
  }

  const fooledStart = Buffer.from(blob);
  fooledStart[0] = (fooledStart[0] ?? 0) ^ 1;

  it('are not continued from the disk before they were compared', async () => {
    const { content, flight, reading, tail } = await blobBesideFlight(fooledStart);
    content.arrived(digest);
    const duringComparison = readAll(content, { offset: 32_768, length: 10 }).catch((error: unknown) => error);
    await flight.done;
    for (const reader of [reading, tail, duringComparison]) {
      expect(await reader).toMatchObject({ code: 'DATA_LOSS' });
    }
    expect(isBlob(await readAll(content))).toBe(true);
  });

  it('are compared also when their flight fails before anyone told of the blob', async () => {
    const { source, flight, reading, tail, gate } = await blobBesideFlight(fooledStart);
    source.gate = () => Promise.reject(new CodedError('NOT_FOUND', 'Never heard of it'));
    await gate.open(1);
    await flight.done;
    expect(await reading).toMatchObject({ code: 'DATA_LOSS' });
    expect(await tail).toMatchObject({ code: 'DATA_LOSS' });
  });

  it('are no matter when they were right: readers go on from the disk', async () => {
    const { content, flight, reading, tail } = await blobBesideFlight(blob);
    content.arrived(digest);
    await flight.done;
    expect([await reading, await tail].map((bytes) => bytes instanceof Buffer && digestOf(bytes))).toEqual([
      digest,
      digestOf(blob.subarray(-10)),
    ]);
  });

  it('end a reader that had some of them, although the second try is right', async () => {
    const { content, source } = setUp();
    source.bytes = wrong;
    source.sentWrongBytes = () => {
      source.bytes = blob;
    };
    const gate = steps();
    source.gate = gate.gate;
    const flight = content.fetch(want, 'cache');
    const reading = readAll(content).catch((error: unknown) => error);
    await gate.open(4);
    source.gate = () => undefined;
    await gate.open(1);
    await flight.done;
    expect(await reading).toMatchObject({ code: 'DATA_LOSS' });
  });
});
