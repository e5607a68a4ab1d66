import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../core/oci/digest.ts';
import { Semaphore } from '../../core/runtime/semaphore.ts';
import { PrefixHasher } from './prefix-hasher.ts';

const turns = new Semaphore({ permits: 1, waitersMax: 10 });

describe('PrefixHasher', () => {
  it('gives the digest of the whole, whatever was offered and whatever had to be read back', async () => {
    const offers = fc.array(fc.tuple(fc.nat(100), fc.nat(40)), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 100 }), offers, async (bytes, offered) => {
        const hasher = new PrefixHasher(turns);
        for (const [start, length] of offered) hasher.offer(start, bytes.subarray(start, start + length));
        await hasher.catchUp(
          async (into, offset) => {
            into.set(bytes.subarray(offset, offset + into.length));
            return Math.min(into.length, bytes.length - offset);
          },
          () => bytes.length,
        );
        expect([hasher.hashedBytes, hasher.digest()]).toEqual([bytes.length, digestOf(bytes)]);
      }),
    );
  });

  it('offer() passes over what leaves a gap or is hashed already', () => {
    const hasher = new PrefixHasher(turns);
    hasher.offer(1, Buffer.from('gap'));
    expect(hasher.hashedBytes).toBe(0);
    hasher.offer(0, Buffer.from('abc'));
    hasher.offer(1, Buffer.from('bcd'));
    hasher.offer(0, Buffer.from('ab'));
    expect(hasher.digest()).toBe(digestOf('abcd'));
  });

  it('catchUp() fails when the file is shorter than was said', async () => {
    const hasher = new PrefixHasher(turns);
    await expect(
      hasher.catchUp(
        async () => 0,
        () => 5,
      ),
    ).rejects.toThrow('ends at 0');
  });
});
