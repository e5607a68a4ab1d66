/**
 * What containerd expects of a content store (containerd `core/content/testsuite/testsuite.go`), as one suite over
 * `StoreFacade`: for every store of ours, and for what stands behind a socket.
 */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { codeOf, type ErrorCode } from '../../core/runtime/errors.ts';
import type { FacadeWriter, StoreFacade } from './store-facade.ts';

export {
  type CommitOptions,
  type FacadeInfo,
  type FacadeWriter,
  type StoreFacade,
  storeFacade,
} from './store-facade.ts';

/** A fresh, empty store and how to end it. */
export type CreateFacade = () => Promise<{ facade: StoreFacade; stop: () => Promise<void> }>;

interface Content {
  bytes: Buffer;
  digest: Digest;
}

function content(size: number): Content {
  const bytes = randomBytes(size);
  return { bytes, digest: digestOf(bytes) };
}

/** Wall time finer than a millisecond, as the clients of a store measure it. */
function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Clocks of two processes agree within this. */
const CLOCK_SLACK_MS = 2;

async function expectCode(code: ErrorCode, work: () => Promise<unknown>): Promise<void> {
  const error = await work().then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect({ code: error === undefined ? 'no error' : codeOf(error), error }).toMatchObject({ code });
}

async function writeBlob(store: StoreFacade, ref: string, { bytes, digest }: Content): Promise<void> {
  const writer = await store.openWriter(ref, { total: bytes.length });
  await writer.write(bytes);
  await writer.commit({ size: bytes.length, expected: digest });
  await writer.close();
}

async function readAll(store: StoreFacade, digest: Digest, size: number): Promise<Buffer> {
  return Buffer.from(await store.read(digest, 0, size + 1));
}

/** Runs the suite on what `create` makes, once for each test. */
export function storeConformance(name: string, create: CreateFacade): void {
  describe(`${name} as a content store`, () => {
    let store: StoreFacade;
    let stop: () => Promise<void>;
    beforeEach(async () => {
      ({ facade: store, stop } = await create());
    });
    afterEach(() => stop());
    writing(() => store);
    resuming(() => store);
    committing(() => store);
    locking(() => store);
    blobs(() => store);
  });
}

function writing(store: () => StoreFacade): void {
  it.each([
    { size: 256, options: {} },
    { size: 256, options: { total: 256 } },
    { size: 0, options: {} },
    { size: 5 * 1024 * 1024 + 3, options: {} },
  ])('openWriter() writes and commits $size bytes told as $options', async ({ size, options }) => {
    const { bytes, digest } = content(size);
    const writer = await store().openWriter('c', options);
    for (let at = 0; at < size; at += 100_000) await writer.write(bytes.subarray(at, at + 100_000));
    const before = wallMs() - CLOCK_SLACK_MS;
    expect(await writer.commit()).toBe(digest);
    const after = wallMs() + CLOCK_SLACK_MS;
    const info = await store().info(digest);
    expect(info).toMatchObject({ digest, size });
    for (const timeMs of [info.createdAtMs, info.updatedAtMs]) {
      expect(timeMs).toBeGreaterThanOrEqual(before);
      expect(timeMs).toBeLessThanOrEqual(after);
    }
    expect((await readAll(store(), digest, size)).equals(bytes)).toBe(true);
    expect(await store().statuses()).toEqual([]);
  });

  it('status() follows every write', async () => {
    const { bytes, digest } = content(256);
    const started = wallMs() - CLOCK_SLACK_MS;
    const writer = await store().openWriter('c1', { total: 256 });
    expect(await writer.status()).toMatchObject({ ref: 'c1', offset: 0, total: 256 });
    expect(await writer.digest()).toBe(digestOf(''));
    for (const [start, end] of [
      [0, 64],
      [64, 192],
      [192, 256],
    ] as const) {
      const before = wallMs() - CLOCK_SLACK_MS;
      await writer.write(bytes.subarray(start, end));
      const status = await writer.status();
      expect(status).toMatchObject({ ref: 'c1', offset: end, total: 256 });
      expect(status.updatedAtMs).toBeGreaterThanOrEqual(before);
      expect(status.startedAtMs).toBeGreaterThanOrEqual(started);
      expect(await writer.digest()).toBe(digestOf(bytes.subarray(0, end)));
      expect(await store().status('c1')).toMatchObject({ ref: 'c1', offset: end });
    }
    await writer.commit({ expected: digest });
    await expectCode('NOT_FOUND', () => store().status('c1'));
  });

  it('openWriter() refuses an empty ref', () => expectCode('INVALID_ARGUMENT', () => store().openWriter('')));

  it('openWriter() takes refs that look like paths without leaving its directory', async () => {
    const refs = ['../../../../etc/passwd', '..', '/', 'a/b:c', 'ns/1/layer-sha256:00', 'ü\n'];
    for (const ref of refs) {
      const writer = await store().openWriter(ref);
      await writer.write(Buffer.from(ref));
      await writer.close();
    }
    expect((await store().statuses()).map((status) => status.ref).sort()).toEqual([...refs].sort());
  });
}

function resuming(store: () => StoreFacade): void {
  const sizes = [500, 5000, 50_000];
  const shares = [0, 0.1, 0.5, 0.9, 1];
  const cases = sizes.flatMap((size) => shares.map((share) => ({ size, limit: Math.floor(size * share) })));

  it.each(cases)('openWriter() resumes at $limit of $size bytes', async ({ size, limit }) => {
    const { bytes, digest } = content(size);
    const second = await reopenAt(limit, bytes);
    await second.write(bytes.subarray(limit));
    expect(await second.commit({ size, expected: digest })).toBe(digest);
    expect((await readAll(store(), digest, size)).equals(bytes)).toBe(true);
  });

  it.each(cases)('truncate() starts again at $limit of $size bytes', async ({ size, limit }) => {
    const { bytes, digest } = content(size);
    const second = await reopenAt(limit, bytes);
    await second.truncate();
    expect(await second.status()).toMatchObject({ offset: 0 });
    for (let at = 0; at < size; at += 1024) await second.write(bytes.subarray(at, at + 1024));
    expect(await second.commit({ size, expected: digest })).toBe(digest);
    expect((await readAll(store(), digest, size)).equals(bytes)).toBe(true);
  });

  it('openWriter() gives the status from before the close', async () => {
    const { bytes } = content(256);
    const first = await store().openWriter('cb', { total: 256 });
    await first.write(bytes.subarray(0, 128));
    const before = await first.status();
    await first.close();
    expect(await store().status('cb')).toMatchObject({ ref: 'cb', offset: 128, total: 256 });
    const second = await store().openWriter('cb', { total: 256 });
    expect(await second.status()).toEqual(before);
    expect(await second.digest()).toBe(digestOf(bytes.subarray(0, 128)));
    await second.close();
  });

  async function reopenAt(limit: number, bytes: Buffer): Promise<FacadeWriter> {
    const first = await store().openWriter('r', { total: bytes.length });
    await first.write(bytes.subarray(0, limit));
    await first.close();
    const second = await store().openWriter('r', { total: bytes.length });
    expect(await second.status()).toMatchObject({ ref: 'r', offset: limit, total: bytes.length });
    return second;
  }
}

function committing(store: () => StoreFacade): void {
  it.each([true, false])(
    'commit() answers ALREADY_EXISTS for a blob that is here (digest told: %s)',
    async (isTold) => {
      const blob = content(256);
      await writeBlob(store(), 'first', blob);
      const writer = await store().openWriter('again');
      await writer.write(blob.bytes);
      await expectCode('ALREADY_EXISTS', () =>
        writer.commit({ size: 256, ...(isTold ? { expected: blob.digest } : {}) }),
      );
      await writer.close();
      await expectCode('NOT_FOUND', () => store().status('again'));
      expect((await readAll(store(), blob.digest, 256)).equals(blob.bytes)).toBe(true);
    },
  );

  it('openWriter() answers ALREADY_EXISTS when the expected blob is here', async () => {
    const blob = content(256);
    await writeBlob(store(), 'first', blob);
    await expectCode('ALREADY_EXISTS', () => store().openWriter('again', { expected: blob.digest }));
  });

  it('commit() keeps the ingest when size or digest differ, and the ref is free again', async () => {
    const { bytes, digest } = content(256);
    const ref = 'lies';
    const first = await store().openWriter(ref);
    await first.write(bytes);
    await expectCode('FAILED_PRECONDITION', () => first.commit({ size: 256, expected: content(256).digest }));
    await first.close();
    const second = await store().openWriter(ref);
    await expectCode('FAILED_PRECONDITION', () => second.commit({ size: 255 }));
    await second.close();
    await expectCode('NOT_FOUND', () => store().info(digest));
    const third = await store().openWriter(ref);
    expect(await third.status()).toMatchObject({ offset: 256 });
    expect(await third.commit({ size: 256, expected: digest })).toBe(digest);
  });

  it('commit() sets the labels that it is given', async () => {
    const { bytes, digest } = content(256);
    const labels = new Map([['containerd.io/gc.root', '2026-01-01T00:00:00Z']]);
    const writer = await store().openWriter('l');
    await writer.write(bytes);
    await writer.commit({ labels });
    expect((await store().info(digest)).labels).toEqual(labels);
  });
}

function locking(store: () => StoreFacade): void {
  it('openWriter() answers UNAVAILABLE while the ref is open', async () => {
    const writer = await store().openWriter('one');
    await expectCode('UNAVAILABLE', () => store().openWriter('one'));
    await writer.close();
    const again = await store().openWriter('one');
    await again.close();
  });

  it('abort() removes what was written', async () => {
    const writer = await store().openWriter('gone');
    await writer.write(Buffer.from('some bytes'));
    await writer.close();
    await store().abort('gone');
    await expectCode('NOT_FOUND', () => store().status('gone'));
    await expectCode('NOT_FOUND', () => store().abort('gone'));
    const again = await store().openWriter('gone');
    expect(await again.status()).toMatchObject({ offset: 0 });
    await again.close();
  });
}

function blobs(store: () => StoreFacade): void {
  it('read() gives what is there and no more', async () => {
    const blob = content(1000);
    await writeBlob(store(), 'b', blob);
    expect(Buffer.from(await store().read(blob.digest, 10, 20))).toEqual(blob.bytes.subarray(10, 30));
    expect(Buffer.from(await store().read(blob.digest, 990, 10))).toEqual(blob.bytes.subarray(990));
  });

  it('info() and read() answer NOT_FOUND for what is not here', async () => {
    const { digest } = content(16);
    await expectCode('NOT_FOUND', () => store().info(digest));
    await expectCode('NOT_FOUND', () => store().read(digest, 0, 1));
  });

  it('list() shows every blob once', async () => {
    const all = [content(1), content(2), content(3)];
    for (const [index, blob] of all.entries()) await writeBlob(store(), `b${index}`, blob);
    const listed = await store().list();
    expect(listed.map((info) => info.digest).sort()).toEqual(all.map((blob) => blob.digest).sort());
  });

  it('delete() removes a blob, and is content with an absent one', async () => {
    const blob = content(64);
    await writeBlob(store(), 'b', blob);
    await store().delete(blob.digest);
    await store().delete(blob.digest);
    await expectCode('NOT_FOUND', () => store().info(blob.digest));
    expect(await store().list()).toEqual([]);
    await writeBlob(store(), 'b', blob);
    expect((await readAll(store(), blob.digest, 64)).equals(blob.bytes)).toBe(true);
  });

  it('setLabels() replaces labels and moves the time of update', async () => {
    const blob = content(64);
    await writeBlob(store(), 'b', blob);
    const before = wallMs() - CLOCK_SLACK_MS;
    const labels = new Map([
      ['k1', 'v1'],
      ['k2', 'v2'],
    ]);
    await store().setLabels(blob.digest, labels);
    const info = await store().info(blob.digest);
    expect(info.labels).toEqual(labels);
    expect(info.updatedAtMs).toBeGreaterThanOrEqual(before);
    await store().setLabels(blob.digest, new Map());
    expect((await store().info(blob.digest)).labels.size).toBe(0);
    await expectCode('NOT_FOUND', () => store().setLabels(content(8).digest, labels));
  });
}
