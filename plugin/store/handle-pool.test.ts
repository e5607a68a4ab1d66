import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HandlePool } from './handle-pool.ts';

describe('HandlePool', () => {
  let directory: string;
  let pool: HandlePool;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'shoal-pool-'));
    pool = new HandlePool(2);
  });
  afterEach(async () => {
    await pool.closeAll();
    rmSync(directory, { recursive: true });
  });

  function file(name: string): string {
    const path = join(directory, name);
    writeFileSync(path, name);
    return path;
  }

  it('use() never has more files open than it may, and reaches all of them', async () => {
    const paths = Array.from({ length: 20 }, (_, index) => file(`f${index}`));
    let countMax = 0;
    const read = (path: string) =>
      pool.use(path, async (handle) => {
        countMax = Math.max(countMax, pool.count);
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(10), 0, 10, 0);
        return buffer.toString('utf8', 0, bytesRead);
      });
    const names = await Promise.all([...paths, ...paths].map(read));
    expect(names.slice(0, 3)).toEqual(['f0', 'f1', 'f2']);
    expect(countMax).toBe(2);
  });

  it('use() forgets a file that could not be opened', async () => {
    const path = join(directory, 'late');
    await expect(pool.use(path, async () => 1)).rejects.toThrow('ENOENT');
    file('late');
    expect(await pool.use(path, async () => 1)).toBe(1);
    expect(pool.count).toBe(1);
  });
});
