import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { WRITE_ACTION } from './content-messages.ts';
import { createWrites } from './rpc-write.ts';

describe('commit', () => {
  it('tells of a blob that became whole, also of one that was here already', async () => {
    const store = createMemoryStore();
    const arrived: string[] = [];
    const committed: string[] = [];
    const writes = createWrites({
      store,
      content: { arrived: (digest) => arrived.push(digest) },
      claims: { committed: (digest, ref) => committed.push(`${ref} ${digest}`) },
      log: silentLogger,
    });
    const data = Buffer.from('layer');
    const digest = digestOf(data);
    const write = async (ref: string) => {
      const session = writes.open();
      const request = { action: WRITE_ACTION.COMMIT, ref, total: 0, expected: '', offset: 0, data, labels: undefined };
      try {
        return await session.handle(request);
      } finally {
        await session.close();
      }
    };
    expect(await write('one')).toMatchObject({ digest });
    await expect(write('two')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(arrived).toEqual([digest, digest]);
    expect(committed).toEqual([`one ${digest}`, `two ${digest}`]);
  });
});
