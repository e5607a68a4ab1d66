/** The disk store and the memory store give the same answers to any sequence of requests. */
import { afterEach, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../core/oci/digest.ts';
import { codeOf } from '../../core/runtime/errors.ts';
import type { Ingest } from './ingest-store.ts';
import { createMemoryStore } from './memory-store.ts';
import type { Partial } from './partial-store.ts';
import type { Store } from './store.ts';
import { createHandClock, createTestRoot, type TestRoot } from './test-store.ts';

const CLOCK = createHandClock();
const CONTENTS = ['', 'a', 'bb', 'some more bytes'].map((text) => ({
  bytes: Buffer.from(text),
  digest: digestOf(text),
}));
const REFS = ['one', '../two'];
const PINS = ['p', 'q/r'];

/** One store with the writers and downloads that are open in it. */
interface Subject {
  store: Store;
  ingests: Map<string, Ingest>;
  downloads: Map<string, Partial>;
}

interface Request {
  name: string;
  run(subject: Subject): Promise<unknown>;
}

const content = fc.constantFrom(...CONTENTS);
const ref = fc.constantFrom(...REFS);
const hold = fc.constantFrom('containerd' as const, 'cache' as const);

function request<T>(name: string, given: fc.Arbitrary<T>, run: (subject: Subject, given: T) => Promise<unknown>) {
  return given.map(
    (value): Request => ({
      name: `${name} ${JSON.stringify(value)}`,
      run: (subject) => run(subject, value),
    }),
  );
}

const blobRequests = [
  request('hold', fc.tuple(content, hold), ({ store }, [{ digest }, which]) => store.hold(digest, which)),
  request('release', fc.tuple(content, hold, fc.boolean()), ({ store }, [{ digest }, which, keep]) =>
    store.release(digest, which, { keep }),
  ),
  request('evictTo', fc.constant(0), ({ store }, bytes) => store.evictTo(bytes)),
  request('setLabels', fc.tuple(content, fc.string()), ({ store }, [{ digest }, text]) =>
    store.setLabels(digest, new Map([['label', text]])),
  ),
  request('pin', fc.tuple(fc.constantFrom(...PINS), content, fc.nat(100)), ({ store }, [name, { digest }, ms]) =>
    store.pin(name, [digest], CLOCK.now() + ms + 1),
  ),
  request('unpin', fc.constantFrom(...PINS), ({ store }, name) => store.unpin(name)),
  request('claim', content, async ({ store }, { digest }) =>
    store.putClaim({ digest, size: 1, sources: [], claimedAtMs: 5 }),
  ),
  request('unclaim', content, async ({ store }, { digest }) => store.removeClaim(digest)),
];

const ingestRequests = [
  request(
    'openIngest',
    fc.tuple(ref, fc.nat(3), fc.option(content, { nil: undefined, freq: 8 })),
    async (subject, [name, total, expected]) => {
      const ingest = await subject.store.openIngest(name, { total, ...(expected && { expected: expected.digest }) });
      subject.ingests.set(name, ingest);
      return ingest.status().offset;
    },
  ),
  request('append', fc.tuple(ref, content), async ({ ingests }, [name, { bytes }]) => {
    await ingests.get(name)?.append(bytes);
    return ingests.get(name)?.digest();
  }),
  request('truncate', ref, async ({ ingests }, name) => ingests.get(name)?.truncate(0)),
  request('commit', fc.tuple(ref, fc.option(content, { nil: undefined })), async ({ ingests }, [name, expected]) =>
    ingests.get(name)?.commit(expected === undefined ? {} : { size: expected.bytes.length, expected: expected.digest }),
  ),
  request('close', ref, async ({ ingests }, name) => ingests.get(name)?.close()),
  request('abort', ref, ({ store }, name) => store.abortIngest(name)),
];

const downloadRequests = [
  request('openPartial', content, async (subject, { digest, bytes }) => {
    const download = await subject.store.openPartial(digest, bytes.length);
    subject.downloads.set(digest, download);
    return download.bytesPresent();
  }),
  request(
    'write',
    fc.tuple(content, fc.nat(15), fc.nat(15), fc.boolean()),
    async (subject, [one, from, to, isTrue]) => {
      const bytes = isTrue ? one.bytes : Buffer.alloc(one.bytes.length, 'z');
      await subject.downloads.get(one.digest)?.write(from, bytes.subarray(from, to));
      return subject.downloads.get(one.digest)?.missing(0);
    },
  ),
  request('write all', content, async ({ downloads }, one) => downloads.get(one.digest)?.write(0, one.bytes)),
  request('commit download', fc.tuple(content, hold), async ({ downloads }, [{ digest }, which]) =>
    downloads.get(digest)?.commit(new Set([which])),
  ),
  request('close download', content, async ({ downloads }, { digest }) => downloads.get(digest)?.close()),
  request('discard download', content, async ({ downloads }, { digest }) => downloads.get(digest)?.discard()),
  request('dropPartial', content, ({ store }, { digest }) => store.dropPartial(digest)),
];

async function answerOf(subject: Subject, { run }: Request): Promise<unknown> {
  return run(subject).then(
    (answer) => ({ answer: answer ?? null }),
    (error: unknown) => ({ code: codeOf(error) }),
  );
}

function byName<T>(items: Iterable<T>, name: (item: T) => string): T[] {
  return [...items].sort((left, right) => (name(left) < name(right) ? -1 : 1));
}

async function stateOf({ store }: Subject): Promise<unknown> {
  const blobs = [...store.list()].map(({ digest, size, holds }) => ({
    digest,
    size,
    holds: [...holds],
    labels: [...store.labels(digest)],
  }));
  const statuses = (await store.ingestStatuses()).map(({ ref: name, offset, total }) => ({ name, offset, total }));
  return {
    blobs: byName(blobs, (blob) => blob.digest),
    statuses: byName(statuses, (status) => status.name),
    partials: byName(store.partials(), (partial) => partial.digest),
    pins: byName(store.pins(), (pin) => pin.name).map((pin) => ({ ...pin, digests: [...pin.digests].sort() })),
    claims: byName(store.claims(), (claim) => claim.digest),
  };
}

let test: TestRoot | undefined;
afterEach(() => test?.remove());

const TEST_TIMEOUT_MS = 120_000;

it(
  'DiskStore and MemoryStore answer alike',
  async () => {
    const requests = fc.array(fc.oneof(...blobRequests, ...ingestRequests, ...downloadRequests), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(requests, async (all) => {
        test = createTestRoot();
        const disk: Subject = { store: await test.open({ clock: CLOCK }), ingests: new Map(), downloads: new Map() };
        const memory = { store: createMemoryStore({ clock: CLOCK }), ingests: new Map(), downloads: new Map() };
        for (const one of all) {
          const [onDisk, inMemory] = [await answerOf(disk, one), await answerOf(memory, one)];
          expect({ request: one.name, answer: onDisk }).toEqual({ request: one.name, answer: inMemory });
          expect(await stateOf(disk)).toEqual(await stateOf(memory));
        }
        await test.remove();
      }),
      { numRuns: 60 },
    );
  },
  TEST_TIMEOUT_MS,
);
