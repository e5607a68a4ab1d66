import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, hexOf } from '../../core/oci/digest.ts';
import { CLAIM_SOURCES_MAX, type Claim } from './claim-store.ts';
import { createTestRoot, type TestRoot } from './test-store.ts';

describe('ClaimStore on disk', () => {
  let test: TestRoot;
  beforeEach(() => {
    test = createTestRoot();
  });
  afterEach(() => test.remove());

  const source = { registry: 'registry.example:5000', repository: 'library/nginx' };
  const claim: Claim = { digest: digestOf('claimed'), size: 12, sources: [source], claimedAtMs: 1_700_000_000_123 };

  it('putClaim() has written the file when it returns', async () => {
    const store = await test.open();
    store.putClaim(claim);
    expect(readdirSync(join(test.root, 'shoal/claims'))).toEqual([hexOf(claim.digest)]);
    await store.stop();
    const again = await test.open();
    expect([...again.claims()]).toEqual([claim]);
    expect(again.claim(claim.digest)).toEqual(claim);
    again.removeClaim(claim.digest);
    again.removeClaim(claim.digest);
    expect(again.claim(claim.digest)).toBeUndefined();
    expect(readdirSync(join(test.root, 'shoal/claims'))).toEqual([]);
  });

  it('putClaim() refuses too many sources and sizes that are none', async () => {
    const store = await test.open();
    const sources = Array.from({ length: CLAIM_SOURCES_MAX + 1 }, () => source);
    for (const wrong of [{ sources }, { size: -1 }, { size: 0.5 }]) {
      expect(() => store.putClaim({ ...claim, ...wrong })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
    expect([...store.claims()]).toEqual([]);
  });
});
