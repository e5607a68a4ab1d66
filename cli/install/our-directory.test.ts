import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, hexOf } from '../../core/oci/digest.ts';
import { openClaims } from './our-directory.ts';

describe('openClaims()', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'shoal-ours-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('is undefined where nothing of ours is', async () => {
    expect(await openClaims(root)).toBeUndefined();
  });

  it('leaves out a claim whose blob is there: a daemon that was killed had no time to remove it', async () => {
    const [met, open] = [digestOf('met'), digestOf('open')];
    mkdirSync(join(root, 'shoal', 'claims'), { recursive: true });
    mkdirSync(join(root, 'blobs', 'sha256'), { recursive: true });
    for (const digest of [met, open]) writeFileSync(join(root, 'shoal', 'claims', hexOf(digest)), '{}');
    writeFileSync(join(root, 'blobs', 'sha256', hexOf(met)), 'met');
    expect(await openClaims(root)).toEqual([open]);
  });
});
