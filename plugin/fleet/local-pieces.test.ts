import { beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { Store } from '../store/store.ts';
import { writeBlob } from '../store/test-store.ts';
import { localPieces } from './local-pieces.ts';

const bytes = Buffer.from('some bytes of a blob');
const digest = digestOf(bytes);

let store: Store;
beforeEach(() => {
  store = createMemoryStore();
});

async function read(offset: number, length: number): Promise<string> {
  const open = await localPieces(store).look(digest)?.open();
  const into = Buffer.alloc(length);
  const count = (await open?.read(into, offset)) ?? 0;
  await open?.close();
  return into.subarray(0, count).toString();
}

describe('localPieces()', () => {
  it('look() finds nothing that is not here', () => {
    expect(localPieces(store).look(digest)).toBeUndefined();
  });

  it('look() gives a whole blob', async () => {
    await writeBlob(store, bytes);
    const found = localPieces(store).look(digest);
    expect(found).toMatchObject({ state: 'whole', size: bytes.length });
    expect(found?.missing(0)).toBeUndefined();
    expect(await read(5, 5)).toBe('bytes');
  });

  it('look() gives what is there of a running download', async () => {
    const download = await store.openPartial(digest, bytes.length);
    await download.write(0, bytes.subarray(0, 10));
    const found = localPieces(store).look(digest);
    expect(found).toMatchObject({ state: 'fetching', size: bytes.length });
    expect(found?.missing(0)).toEqual({ start: 10, end: bytes.length });
    expect(await read(0, 4)).toBe('some');
    await download.close();
    expect(localPieces(store).look(digest)).toBeUndefined();
  });
});
