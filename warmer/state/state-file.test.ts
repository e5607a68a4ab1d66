import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readRates, writeRates } from './state-file.ts';

const SAMPLE = { atMs: 1, bytes: 2, durationMs: 3 };

describe('writeRates()', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warm-state-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('makes a file that readRates() reads, and leaves nothing else', async () => {
    const file = join(folder, 'deep/state.json');
    await writeRates(file, [SAMPLE]);
    await writeRates(file, [SAMPLE, SAMPLE]);
    expect(await readRates(file, fail)).toEqual([SAMPLE, SAMPLE]);
    expect(await readdir(join(folder, 'deep'))).toEqual(['state.json']);
  });

  it.each([
    ['{"version":1,"rates":[{"atMs":1,"bytes":2', 1],
    ['{"version":2,"rates":[]}', 1],
    ['{"version":1,"rates":[{"atMs":"1"},null,7]}', 0],
  ])('reads %s as nothing', async (text, problems) => {
    const file = join(folder, 'state.json');
    await writeFile(file, text);
    const told: unknown[] = [];
    expect(await readRates(file, (error) => told.push(error))).toEqual([]);
    expect(told).toHaveLength(problems);
  });

  it('reads an absent file as nothing', async () => {
    expect(await readRates(join(folder, 'none'), fail)).toEqual([]);
  });
});

function fail(error: unknown): never {
  throw error;
}
