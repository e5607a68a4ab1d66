import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, hexOf } from '../../core/oci/digest.ts';
import { CLOSED_HASHES_MAX, REF_BYTES_MAX } from './ingests.ts';
import { createTestRoot, MIB, type TestRoot } from './test-store.ts';

let test: TestRoot;
beforeEach(() => {
  test = createTestRoot();
});
afterEach(() => test.remove());

function dataOf(ref: string): string {
  return join(test.root, 'ingest', hexOf(digestOf(ref)), 'data');
}

describe('Ingest on disk', () => {
  it('append() hashes and syncs a large blob on its way', async () => {
    const store = await test.open();
    const chunk = Buffer.alloc(MIB, 'chunk');
    const ingest = await store.openIngest('large');
    for (let count = 0; count < 70; count += 1) await ingest.append(chunk);
    const whole = digestOf(Buffer.concat(Array.from({ length: 70 }, () => chunk)));
    expect(await ingest.commit({ size: 70 * MIB, expected: whole })).toBe(whole);
  });

  it('openIngest() after a close does not read again what was hashed', async () => {
    const store = await test.open();
    const first = await store.openIngest('r');
    await first.append(Buffer.from('hashed once, '));
    await first.close();
    // Bytes changed behind the store's back show whether they are read.
    writeFileSync(dataOf('r'), 'HASHED ONCE, ');
    const second = await store.openIngest('r');
    await second.append(Buffer.from('then more'));
    expect(await second.digest()).toBe(digestOf('hashed once, then more'));
    await second.close();
  });

  it(`openIngest() hashes again what was closed before the last ${CLOSED_HASHES_MAX}`, async () => {
    const store = await test.open();
    for (let count = 0; count <= CLOSED_HASHES_MAX; count += 1) {
      const ingest = await store.openIngest(`r${count}`);
      await ingest.append(Buffer.from('x'));
      await ingest.close();
    }
    writeFileSync(dataOf('r0'), 'y');
    const again = await store.openIngest('r0');
    expect(await again.digest()).toBe(digestOf('y'));
    await again.close();
  });

  it('read() gives other readers the bytes so far', async () => {
    const store = await test.open();
    const ingest = await store.openIngest('r');
    await ingest.append(Buffer.from('abc'));
    const into = Buffer.alloc(5);
    expect(await ingest.read(into, 1)).toBe(2);
    expect(into.subarray(0, 2).toString()).toBe('bc');
    expect(await ingest.read(into, 3)).toBe(0);
    expect(await ingest.read(into, -1)).toBe(0);
    await ingest.close();
  });

  it('close() in the middle of an append waits for it and keeps its bytes', async () => {
    const store = await test.open();
    const ingest = await store.openIngest('vanished');
    const appending = ingest.append(Buffer.alloc(MIB, 1));
    await ingest.close();
    await appending;
    expect(await store.ingestStatus('vanished')).toMatchObject({ offset: MIB });
    expect(readFileSync(dataOf('vanished'))).toHaveLength(MIB);
    await expect(ingest.append(Buffer.from('late'))).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await store.abortIngest('vanished');
  });

  it('openIngest() begins again when the total contradicts the earlier one', async () => {
    const store = await test.open();
    const first = await store.openIngest('r', { total: 10 });
    await first.append(Buffer.from('of ten'));
    await first.close();
    const second = await store.openIngest('r', { total: 20 });
    expect(second.status()).toMatchObject({ offset: 0, total: 20 });
    expect(await second.digest()).toBe(digestOf(''));
    await second.close();
  });

  it('commit() is not bound by what an earlier writer expected', async () => {
    const store = await test.open();
    const liar = await store.openIngest('r', { expected: digestOf('something else') });
    await liar.append(Buffer.from('bytes'));
    await expect(liar.commit({})).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    const honest = await store.openIngest('r');
    expect(await honest.commit({})).toBe(digestOf('bytes'));
  });

  it('setTotal() is kept over a restart', async () => {
    const store = await test.open();
    const ingest = await store.openIngest('r');
    await ingest.setTotal(7);
    await store.stop();
    const again = await test.open();
    expect(await again.ingestStatus('r')).toMatchObject({ total: 7, offset: 0 });
  });
});

describe('openIngest()', () => {
  it('refuses refs and totals that are none', async () => {
    const store = await test.open();
    await expect(store.openIngest('x'.repeat(REF_BYTES_MAX + 1))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const total of [-1, 0.5, Number.NaN, 2 ** 60]) {
      await expect(store.openIngest('r', { total })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(await store.ingestStatuses()).toEqual([]);
  });
});
