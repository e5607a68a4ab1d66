import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import {
  blob,
  digest,
  isBlob,
  MIB,
  PIECE,
  putBlob,
  readAll,
  setUp,
  steps,
  want,
} from '../../test/support/content/content-setup.ts';
import { FAKE_WRITE_BYTES, FakeSource, untilAborted } from '../../test/support/content/fake-source.ts';
import { settle } from './fakes/manual-clock.ts';
import type { Store } from '../store/store.ts';

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
    const reading = content.read(wanted.digest, {}, { signal: new AbortController().signal });
    const parts = await Array.fromAsync(reading, (chunk) => Buffer.from(chunk));
    expect(Buffer.concat(parts).toString()).toBe('{"os":"linux"}');
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

  it('takes back one interest in the cache at a time: those of others last', async () => {
    const { content, source, store } = setUp();
    const gate = steps();
    source.gate = gate.gate;
    const flight = content.fetch(want, 'cache');
    content.fetch(want, 'cache');
    await gate.open(1);
    content.unwant(digest, 'cache');
    await settle();
    expect([...content.flights()]).toHaveLength(1);
    source.gate = () => undefined;
    await gate.open(1);
    await flight.done;
    expect([...(store.stat(digest)?.holds ?? [])]).toEqual(['cache']);
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

  it('leaves containerd’s hold when somebody wants it again while it is taken back', async () => {
    const { content, store } = setUp();
    const [open, release] = [store.openPartial.bind(store), store.release.bind(store)];
    store.openPartial = async (wanted, size) => {
      const partial = await open(wanted, size);
      const commit = partial.commit.bind(partial);
      partial.commit = async (holds) => {
        content.unwant(digest, 'containerd');
        await commit(holds);
      };
      return partial;
    };
    const releasing = Promise.withResolvers<void>();
    store.release = async (...args) => {
      await releasing.promise;
      await release(...args);
    };
    const flight = content.fetch(want, 'containerd');
    await settle();
    const again = content.fetch(want, 'containerd');
    await again.done;
    releasing.resolve();
    await flight.done;
    expect([...(store.stat(digest)?.holds ?? [])].sort()).toEqual(['cache', 'containerd']);
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
    await writeBlob(store);
    content.arrived(digest);
    await flight.done;
    expect(isBlob(await reading)).toBe(true);
    expect([...(store.stat(digest)?.holds ?? [])].sort()).toEqual(['cache', 'containerd']);
    expect([...store.partials()]).toEqual([]);
  });

  it('throws away what an earlier flight left of it', async () => {
    const { content, source, store } = setUp();
    source.gate = (offset, signal) => (offset >= PIECE ? untilAborted(signal) : undefined);
    const flight = content.fetch(want, 'cache');
    await settle();
    content.unwant(digest, 'cache');
    await expect(flight.done).rejects.toMatchObject({ code: 'CANCELLED' });
    expect([...store.partials()]).toHaveLength(1);
    await writeBlob(store);
    content.arrived(digest);
    await settle();
    expect([...store.partials()]).toEqual([]);
  });

  it('throws away what a flight leaves that ends just then', async () => {
    const { content, source, store } = setUp();
    source.gate = (offset, signal) => (offset >= PIECE ? untilAborted(signal) : undefined);
    const flight = content.fetch(want, 'cache');
    await settle();
    content.unwant(digest, 'cache');
    await writeBlob(store);
    content.arrived(digest);
    await expect(flight.done).rejects.toMatchObject({ code: 'CANCELLED' });
    await settle();
    expect([...store.partials()]).toEqual([]);
  });
});

/** As containerd does. */
async function writeBlob(store: Store): Promise<void> {
  const ingest = await store.openIngest('default/1/layer');
  await ingest.append(blob);
  await ingest.commit({ expected: digest });
}

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
