import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { Store } from '../store/store.ts';
import type { Want } from './blob-source.ts';
import type { ContentReader } from './content.ts';
import { createContent } from './create-content.ts';
import { FakeSource, FAKE_WRITE_BYTES, untilAborted } from './fakes/fake-source.ts';
import { ManualClock, settle } from './fakes/manual-clock.ts';

const MIB = 1024 * 1024;

/** Bytes that differ at every place that a bug could mix up. */
function blobOf(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7) & 0xff;
  return bytes;
}

/** What the store keeps of an unfinished download, it keeps by whole pieces. */
const PIECE = 4 * MIB;
const blob = blobOf(2 * PIECE + 12_345);
const digest = digestOf(blob);
const want: Want = { digest, size: blob.length, sources: [] };

/** A store in memory that counts what the heart asks of it. */
function countedStore(clock: ManualClock) {
  const counts = { reads: 0, handles: 0 };
  const memory = createMemoryStore({ clock });
  const open: Store['open'] = async (wanted) => {
    const bytes = await memory.open(wanted);
    counts.handles += 1;
    return {
      size: bytes.size,
      read: (into, offset) => {
        counts.reads += 1;
        return bytes.read(into, offset);
      },
      close: async () => {
        counts.handles -= 1;
      },
    };
  };
  return { counts, store: { ...memory, open } };
}

async function putBlob(store: Store, hold: 'containerd' | 'cache' = 'containerd'): Promise<void> {
  const partial = await store.openPartial(digest, blob.length);
  await partial.write(0, blob);
  await partial.commit(new Set([hold]));
}

function setUp(sources: FakeSource[] = [new FakeSource('one', blob)]) {
  const clock = new ManualClock();
  const { store, counts } = countedStore(clock);
  const content = createContent({ store, sources, clock, log: silentLogger, metrics: noMetrics });
  return { store, counts, clock, content, sources, source: sources[0] ?? new FakeSource('none', blob) };
}

/** Jest's own comparison of megabytes takes seconds. */
function isBlob(bytes: Uint8Array): boolean {
  return blob.equals(bytes);
}

async function readAll(content: ContentReader, range = {}, signal = new AbortController().signal): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(content.read(digest, range, { signal })));
}

/** The reading of one who calls again and again for a little. */
async function readByCalls(content: ContentReader, length: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < blob.length; at += length) {
    parts.push(content.readNow(digest, at, length) ?? (await readAll(content, { offset: at, length })));
  }
  return Buffer.concat(parts);
}

/** A gate that opens one write after another. */
function steps() {
  const waiting: (() => void)[] = [];
  return {
    gate: () => new Promise<void>((resolve) => waiting.push(resolve)),
    async open(count: number) {
      for (let at = 0; at < count; at += 1) {
        await settle();
        waiting.shift()?.();
      }
      await settle();
    },
  };
}

describe('fetch()', () => {
  it('brings the blob with its hold when a source has it', async () => {
    const { content, store } = setUp();
    const flight = content.fetch(want, 'containerd');
    expect(content.where(digest)).toEqual({ place: 'flight', size: blob.length });
    await flight.done;
    expect([...(store.stat(digest)?.holds ?? [])]).toEqual(['containerd']);
    expect(content.where(digest)).toEqual({ place: 'disk', size: blob.length });
    expect([...content.flights()]).toEqual([]);
  });

  it('fetches once when many read and many want', async () => {
    const { content, source, store } = setUp();
    const flights = [content.fetch(want, 'containerd'), content.fetch(want, 'cache'), content.fetch(want, 'cache')];
    const reads = await Promise.all(Array.from({ length: 20 }, () => readAll(content)));
    await Promise.all(flights.map(({ done }) => done));
    expect(reads.every((bytes) => bytes.equals(blob))).toBe(true);
    expect(source.sent.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(blob.length);
    expect([...(store.stat(digest)?.holds ?? [])].sort()).toEqual(['cache', 'containerd']);
  });

  it('only adds the hold when the blob is whole here', async () => {
    const { content, source, store } = setUp();
    await putBlob(store, 'cache');
    await content.fetch(want, 'containerd').done;
    expect(store.stat(digest)?.holds.has('containerd')).toBe(true);
    expect(source.fetches).toBe(0);
  });

  it('goes on where an earlier run ended', async () => {
    const first = setUp();
    const partial = await first.store.openPartial(digest, blob.length);
    await partial.write(PIECE, blob.subarray(PIECE, 2 * PIECE));
    await partial.close();
    await first.content.fetch(want, 'cache').done;
    expect(first.source.sent.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(blob.length - PIECE);
  });

  it('asks the next source for the rest when one fails', async () => {
    const [one, two] = [new FakeSource('one', blob), new FakeSource('two', blob)];
    one.gate = (offset) => {
      if (offset >= MIB) throw new CodedError('UNAVAILABLE', 'Broken line');
    };
    const { content } = setUp([one, two]);
    await content.fetch(want, 'cache').done;
    expect(two.sent[0]?.start).toBe(MIB);
  });

  it('fails at once when every source refuses, with all reasons', async () => {
    const [one, two, three] = [new FakeSource('one', blob), new FakeSource('two', blob), new FakeSource('three', blob)];
    one.gate = () => Promise.reject(new CodedError('UNAUTHENTICATED', 'Who are you'));
    two.gate = () => Promise.reject(new CodedError('NOT_FOUND', 'Never heard of it'));
    three.answer = 'no';
    const { content } = setUp([one, two, three]);
    const error = await content.fetch(want, 'cache').done.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'NOT_FOUND',
      cause: { errors: [{ code: 'UNAUTHENTICATED' }, { code: 'NOT_FOUND' }] },
    });
    expect(three.fetches).toBe(0);
  });

  it('tries again with pauses and gives up after the time without a new byte', async () => {
    const { content, clock, source, store } = setUp();
    source.gate = (offset) => {
      if (offset >= PIECE) throw new CodedError('UNAVAILABLE', 'Broken line');
    };
    const flight = content.fetch(want, 'containerd', { giveUpMs: 30_000 });
    const reading = readAll(content).catch((error: unknown) => error);
    const done = flight.done.catch((error: unknown) => error);
    await clock.advance(29_000);
    expect([...content.flights()]).toHaveLength(1);
    expect(source.fetches).toBeGreaterThan(4);
    expect(source.fetches).toBeLessThan(20);
    await clock.advance(2_000);
    expect(await done).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await reading).toMatchObject({ code: 'UNAVAILABLE' });
    expect([...store.partials()]).toEqual([{ digest, size: blob.length, bytesPresent: PIECE }]);
  });

  it('leaves a source that hangs for the next one, also one that ignores its signal', async () => {
    const [one, two] = [new FakeSource('one', blob), new FakeSource('two', blob)];
    one.gate = () => new Promise(() => undefined);
    const { content, clock } = setUp([one, two]);
    const flight = content.fetch(want, 'cache');
    await clock.advance(25_000);
    await flight.done;
    expect(two.fetches).toBe(1);
  });

  it('fails at once when this disk takes no bytes', async () => {
    const { content, store, source } = setUp();
    const open = store.openPartial;
    store.openPartial = async (wanted, size) => {
      const partial = await open(wanted, size);
      partial.write = () => Promise.reject(new CodedError('RESOURCE_EXHAUSTED', 'Disk is full'));
      return partial;
    };
    await expect(content.fetch(want, 'cache').done).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(source.fetches).toBe(1);
  });

  it('refuses to join with another size', async () => {
    const { content } = setUp();
    content.fetch(want, 'cache');
    await expect(content.fetch({ ...want, size: 5 }, 'cache').done).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
  });
});

describe('fetch() of few bytes', () => {
  it('makes an empty blob whole without asking anyone', async () => {
    const { content, source, store } = setUp();
    const empty = { digest: digestOf(''), size: 0, sources: [] };
    await content.fetch(empty, 'cache').done;
    expect(store.stat(empty.digest)?.size).toBe(0);
    expect(source.fetches).toBe(0);
  });

  it('gives a reader nothing of a small blob before the proof', async () => {
    const small = Buffer.from('{"os":"linux"}');
    const source = new FakeSource('one', Buffer.from('{"os":"linus"}'));
    const { content } = setUp([source]);
    const wanted = { digest: digestOf(small), size: small.length, sources: [] };
    source.sentWrongBytes = () => {
      source.bytes = small;
    };
    content.fetch(wanted, 'cache');
    const parts = await Array.fromAsync(content.read(wanted.digest, {}, { signal: new AbortController().signal }));
    expect(Buffer.concat(parts).toString()).toBe('{"os":"linux"}');
  });
});

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
});

describe('unwant()', () => {
  it('ends the flight when nobody wants or reads it, and keeps what came', async () => {
    const { content, source, store } = setUp();
    const gate = steps();
    source.gate = gate.gate;
    const flight = content.fetch(want, 'containerd');
    content.fetch(want, 'cache');
    await gate.open(PIECE / FAKE_WRITE_BYTES);
    content.unwant(digest, 'containerd');
    expect([...content.flights()]).toHaveLength(1);
    content.unwant(digest, 'cache');
    await gate.open(1);
    await expect(flight.done).rejects.toMatchObject({ code: 'CANCELLED' });
    expect([...store.partials()]).toEqual([{ digest, size: blob.length, bytesPresent: PIECE }]);
    source.gate = () => undefined;
    await content.fetch(want, 'cache').done;
  });

  it('lets the flight go on for a reader, until the reader leaves', async () => {
    const { content, source } = setUp();
    const gate = steps();
    source.gate = gate.gate;
    const flight = content.fetch(want, 'containerd');
    const leaving = new AbortController();
    const reading = readAll(content, {}, leaving.signal).catch((error: unknown) => error);
    await gate.open(1);
    content.unwant(digest, 'containerd');
    await gate.open(1);
    expect([...content.flights()]).toMatchObject([{ readers: 1 }]);
    leaving.abort();
    expect(await reading).toMatchObject({ name: 'AbortError' });
    await expect(flight.done).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('takes containerd’s hold back when it comes while the blob is proven', async () => {
    const { content, store } = setUp();
    const proving = Promise.withResolvers<void>();
    const open = store.openPartial.bind(store);
    store.openPartial = async (wanted, size) => {
      const partial = await open(wanted, size);
      const commit = partial.commit.bind(partial);
      partial.commit = async (holds) => {
        content.unwant(digest, 'containerd');
        await proving.promise;
        await commit(holds);
      };
      return partial;
    };
    const flight = content.fetch(want, 'containerd');
    await settle();
    proving.resolve();
    await flight.done;
    expect([...(store.stat(digest)?.holds ?? [])]).toEqual(['cache']);
  });
});

describe('arrived()', () => {
  it('ends the flight well, with its holds, and readers go on from the disk', async () => {
    const { content, source, store } = setUp();
    const gate = steps();
    source.gate = gate.gate;
    const flight = content.fetch(want, 'cache');
    const reading = readAll(content);
    await gate.open(2);
    const ingest = await store.openIngest('default/1/layer');
    await ingest.append(blob);
    await ingest.commit({ expected: digest });
    content.arrived(digest);
    await flight.done;
    expect(isBlob(await reading)).toBe(true);
    expect([...(store.stat(digest)?.holds ?? [])].sort()).toEqual(['cache', 'containerd']);
    expect([...store.partials()]).toEqual([]);
  });
});

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

describe('stop()', () => {
  it('ends flights and readers and leaves the partial for later', async () => {
    const { content, source, store } = setUp();
    source.gate = (offset, signal) => (offset >= PIECE ? untilAborted(signal) : undefined);
    const flight = content.fetch(want, 'cache');
    const reading = readAll(content).catch((error: unknown) => error);
    await settle();
    await content.stop();
    await expect(flight.done).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await reading).toMatchObject({ code: 'CANCELLED' });
    expect([...store.partials()][0]?.bytesPresent).toBe(PIECE);
  });
});
