import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, hexOf } from '../../core/oci/digest.ts';
import { checkDisk, spoilBlob } from './on-disk.ts';

const BYTES = Buffer.from('0123456789');
const DIGEST = digestOf(BYTES);
const ABSENT = digestOf(Buffer.from('absent'));

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-on-disk-'));
  await mkdir(join(root, 'shoal/cache'), { recursive: true });
  await writeFile(join(root, 'shoal/cache', hexOf(DIGEST)), BYTES);
});

afterEach(() => rm(root, { recursive: true }));

describe('checkDisk()', () => {
  it('tells what is there from what is not', async () => {
    expect(await checkDisk(root, [DIGEST, ABSENT])).toEqual({ whole: [DIGEST], wrong: [], bytesVerified: 10 });
  });
});

describe('spoilBlob()', () => {
  it('makes a blob that checkDisk() finds wrong', async () => {
    await spoilBlob(root, DIGEST, 4);
    expect(await checkDisk(root, [DIGEST, ABSENT])).toEqual({ whole: [], wrong: [DIGEST], bytesVerified: 0 });
  });
});
