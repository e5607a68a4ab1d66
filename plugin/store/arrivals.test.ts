import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { digestInRef } from './arrivals.ts';
import { createMemoryStore } from './memory-store.ts';
import type { Store } from './store.ts';
import { createTestRoot, type TestRoot } from './test-store.ts';

const BYTES = Buffer.from('what arrives here');
const DIGEST = digestOf(BYTES);

describe('digestInRef()', () => {
  it.each([
    [`k8s.io/12/layer-${DIGEST}`, DIGEST],
    [DIGEST, DIGEST],
    [`layer-${DIGEST}-again`, undefined],
    ['import-of-something', undefined],
    [`config-${DIGEST.slice(0, -1)}`, undefined],
  ])('finds the digest that %s ends in', (ref, found) => expect(digestInRef(ref)).toBe(found));
});

describe.each(['disk', 'memory'])('a %s store', (kind) => {
  let root: TestRoot | undefined;
  afterEach(() => root?.remove());

  async function open(): Promise<Store> {
    if (kind === 'memory') return createMemoryStore();
    root = createTestRoot();
    return root.open();
  }

  /** What was seen of the blob at each change. */
  function watch(store: Store): string[] {
    const seen: string[] = [];
    store.onChange((digest) => {
      expect(digest).toBe(DIGEST);
      const arriving = store.arriving(digest)?.state ?? 'gone';
      seen.push(store.stat(digest) === undefined ? arriving : 'whole');
    });
    return seen;
  }

  it('arriving() gives the bytes of a running Write until it is a blob', async () => {
    const store = await open();
    const seen = watch(store);
    const ingest = await store.openIngest(`default/1/layer-${DIGEST}`, { total: BYTES.length });
    await ingest.append(BYTES.subarray(0, 4));
    const arriving = store.arriving(DIGEST);
    expect(arriving?.missing(0)).toEqual({ start: 4, end: BYTES.length });
    const into = Buffer.alloc(4);
    expect(await arriving?.read(into, 0)).toBe(4);
    expect(into).toEqual(BYTES.subarray(0, 4));
    await ingest.append(BYTES.subarray(4));
    expect(arriving?.missing(0)).toBeUndefined();
    await ingest.commit({});
    expect(store.arriving(DIGEST)).toBeUndefined();
    expect(seen[0]).toBe('writing');
    expect(seen.at(-1)).toBe('whole');
  });

  it('onChange() tells of a Write that ends without a blob', async () => {
    const store = await open();
    const seen = watch(store);
    const ingest = await store.openIngest(`default/1/layer-${DIGEST}`, { total: BYTES.length });
    expect(seen).toEqual([]);
    await ingest.append(BYTES.subarray(0, 4));
    await ingest.close();
    expect(seen).toEqual(['writing', 'gone']);
    await (await store.openIngest(`default/1/layer-${DIGEST}`, { total: BYTES.length })).close();
    expect(seen).toEqual(['writing', 'gone', 'writing', 'gone']);
  });

  it('onChange() tells nothing of a Write that ends without a byte', async () => {
    const store = await open();
    const seen = watch(store);
    await (await store.openIngest(`default/1/layer-${DIGEST}`, { total: BYTES.length })).close();
    expect(seen).toEqual([]);
  });

  it('arriving() knows nothing of a Write whose size or digest was not told', async () => {
    const store = await open();
    await (await store.openIngest(`layer-${DIGEST}`)).close();
    const nameless = await store.openIngest('import', { total: 5 });
    expect(store.arriving(DIGEST)).toBeUndefined();
    await nameless.close();
  });

  it('onChange() tells of a download, of the blob that it becomes, and of its end', async () => {
    const store = await open();
    const seen = watch(store);
    const partial = await store.openPartial(DIGEST, BYTES.length);
    expect(store.arriving(DIGEST)?.missing(0)).toEqual({ start: 0, end: BYTES.length });
    await partial.write(0, BYTES);
    await partial.commit(new Set(['cache']));
    await store.release(DIGEST, 'cache');
    expect(seen[0]).toBe('fetching');
    expect(seen).toContain('whole');
    expect(seen.at(-1)).toBe('gone');
  });

  it('arriving() prefers the Write that has more', async () => {
    const store = await open();
    const first = await store.openIngest(`a/1/layer-${DIGEST}`, { total: BYTES.length });
    const second = await store.openIngest(`b/2/layer-${DIGEST}`, { total: BYTES.length });
    await first.append(BYTES.subarray(0, 2));
    await second.append(BYTES.subarray(0, 7));
    expect(store.arriving(DIGEST)?.missing(0)?.start).toBe(7);
    await second.close();
    expect(store.arriving(DIGEST)?.missing(0)?.start).toBe(2);
    await first.close();
    expect(store.arriving(DIGEST)).toBeUndefined();
  });
});
