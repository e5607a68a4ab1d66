import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { FileHasher } from './file-hasher.ts';
import { HashThread } from './hash-thread.ts';

const MIB = 1024 * 1024;
/** Longer than one step, and no whole number of reads. */
const BYTES = randomBytes(9 * MIB + 17);
const notRead = () => Promise.reject(new Error('the thread reads for itself'));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-hasher-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('FileHasher', () => {
  it('gives the digest of what is there, while the file grows', async () => {
    await using file = await open(join(directory, 'growing'), 'w+');
    const hasher = new FileHasher(file.fd);
    for (const end of [1, 3 * MIB, BYTES.length]) {
      await file.write(BYTES, 0, end, 0);
      await hasher.catchUp(notRead, () => end);
      expect([hasher.hashedBytes, await hasher.digest()]).toEqual([end, digestOf(BYTES.subarray(0, end))]);
    }
    await hasher.close();
  });

  it('keeps files apart that are hashed at once', async () => {
    const digests = Array.from({ length: 5 }, async (_, index) => {
      await using file = await open(join(directory, `${index}`), 'w+');
      await file.write(BYTES, index, MIB, 0);
      const hasher = new FileHasher(file.fd);
      for (const end of [1000, MIB]) await hasher.catchUp(notRead, () => end);
      const digest = await hasher.digest();
      await hasher.close();
      return digest;
    });
    const wanted = digests.map((_, index) => digestOf(BYTES.subarray(index, index + MIB)));
    expect(await Promise.all(digests)).toEqual(wanted);
  });

  it('catchUp() fails when the file is shorter than was said, and begins again', async () => {
    await using file = await open(join(directory, 'short'), 'w+');
    const hasher = new FileHasher(file.fd);
    await file.write(BYTES, 0, 1000, 0);
    await hasher.catchUp(notRead, () => 500);
    await expect(hasher.catchUp(notRead, () => 2000)).rejects.toThrow('ends at 1000 bytes');
    await file.write(BYTES, 0, 2000, 0);
    await hasher.catchUp(notRead, () => 2000);
    expect(await hasher.digest()).toBe(digestOf(BYTES.subarray(0, 2000)));
    await hasher.close();
  });

  it('goes on after a download stood still for longer than the thread waits for work', async () => {
    await using file = await open(join(directory, 'still'), 'w+');
    await file.write(BYTES);
    const hasher = new FileHasher(file.fd, new HashThread(10));
    await hasher.catchUp(notRead, () => MIB);
    await sleep(200);
    await hasher.catchUp(notRead, () => 2 * MIB);
    expect(await hasher.digest()).toBe(digestOf(BYTES.subarray(0, 2 * MIB)));
    await hasher.close();
  });

  it('begins again, once, when the thread has lost its hash', async () => {
    await using file = await open(join(directory, 'lost'), 'w+');
    await file.write(BYTES);
    const real = new HashThread();
    let losses = 1;
    const run: HashThread['run'] = (work) =>
      work.start > 0 && losses-- > 0 ? Promise.reject(new Error('lost')) : real.run(work);
    const hasher = new FileHasher(file.fd, { freshId: () => real.freshId(), run });
    await hasher.catchUp(notRead, () => MIB);
    await hasher.catchUp(notRead, () => 2 * MIB);
    expect(await hasher.digest()).toBe(digestOf(BYTES.subarray(0, 2 * MIB)));
    losses = 2;
    await expect(hasher.catchUp(notRead, () => BYTES.length)).rejects.toThrow('lost');
    await hasher.close();
  });

  it('close() waits until the file is no longer read', async () => {
    await using file = await open(join(directory, 'closed'), 'w+');
    await file.write(BYTES);
    let isOpen = true;
    const hasher = new FileHasher(file.fd);
    let isReading = true;
    const reading = hasher
      .catchUp(notRead, () => (isOpen ? BYTES.length : 0))
      .then(() => {
        isReading = false;
      });
    isOpen = false;
    await hasher.close();
    await reading;
    expect([isReading, hasher.hashedBytes]).toEqual([false, 8 * MIB]);
  });
});
