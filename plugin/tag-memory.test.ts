import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '../core/oci/digest.ts';
import { silentLogger } from '../core/runtime/log.ts';
import { ManualClock } from './content/fakes/manual-clock.ts';
import { AGE_WRITTEN_MS, WRITE_AFTER_MS, createTagMemory } from './tag-memory.ts';

const NAME = { registry: 'docker.io', repository: 'library/nginx', tag: '1.27' };
const DESCRIPTOR = { mediaType: 'application/vnd.oci.image.index.v1+json', digest: digestOf('one'), size: 3 };
const options = { signal: new AbortController().signal };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tags-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function started(file: string, tagsMax?: number) {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (_: unknown, text: string) => void warnings.push(text) };
  const memory = createTagMemory({ clock, log }, { file, ...(tagsMax && { tagsMax }) });
  await memory.start(options);
  return { memory, clock, warnings };
}

describe('createTagMemory()', () => {
  it('tells after a restart what was remembered before', async () => {
    const file = join(folder, 'new', 'tags.json');
    const { memory } = await started(file);
    memory.remember(NAME, DESCRIPTOR);
    await memory.stop();
    const { memory: again, warnings } = await started(file);
    await expect(again.last(NAME)).resolves.toMatchObject({ descriptor: DESCRIPTOR });
    await expect(again.last({ ...NAME, tag: 'other' })).resolves.toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('writes a moment after a change, so that a kill loses little', async () => {
    const file = join(folder, 'soon.json');
    const { memory, clock } = await started(file);
    memory.remember(NAME, DESCRIPTOR);
    await clock.advance(WRITE_AFTER_MS);
    while (!(await readFile(file, 'utf8').catch(() => '')).includes(DESCRIPTOR.digest)) await clock.advance(1);
    const { memory: again } = await started(file);
    await expect(again.last(NAME)).resolves.toMatchObject({ descriptor: DESCRIPTOR });
    await memory.stop();
  });

  it('tells how old its word is, also after a restart', async () => {
    const file = join(folder, 'aged.json');
    const { memory, clock } = await started(file);
    memory.remember(NAME, DESCRIPTOR);
    await clock.advance(AGE_WRITTEN_MS - 1);
    memory.remember(NAME, DESCRIPTOR);
    await expect(memory.last(NAME)).resolves.toMatchObject({ ageMs: AGE_WRITTEN_MS - 1 });
    await clock.advance(1);
    memory.remember(NAME, DESCRIPTOR);
    await expect(memory.last(NAME)).resolves.toMatchObject({ ageMs: 0 });
    await clock.advance(5);
    await memory.stop();
    const written: unknown = JSON.parse(await readFile(file, 'utf8'));
    expect(written).toMatchObject({ tags: [{ at_ms: clock.now() - 5 }] });
  });

  it('forgets what was longest unused when it is full', async () => {
    const { memory } = await started(join(folder, 'full.json'), 2);
    memory.remember({ ...NAME, tag: 'a' }, DESCRIPTOR);
    memory.remember({ ...NAME, tag: 'b' }, DESCRIPTOR);
    memory.remember({ ...NAME, tag: 'a' }, DESCRIPTOR);
    memory.remember({ ...NAME, tag: 'c' }, DESCRIPTOR);
    await expect(memory.last({ ...NAME, tag: 'b' })).resolves.toBeUndefined();
    await expect(memory.last({ ...NAME, tag: 'a' })).resolves.toMatchObject({ descriptor: DESCRIPTOR });
    await memory.stop();
  });

  it.each(['{', '[]', '{"version":2,"tags":[]}', ''])('starts empty over a file of %j, and says so', async (text) => {
    const file = join(folder, 'bad.json');
    await writeFile(file, text);
    const { memory, warnings } = await started(file);
    await expect(memory.last(NAME)).resolves.toBeUndefined();
    expect(warnings).toEqual(['Remembered tags cannot be read']);
    await memory.stop();
  });

  it('leaves single bad entries out', async () => {
    const file = join(folder, 'mixed.json');
    const good = { ...NAME, descriptor: DESCRIPTOR };
    const bad = [{ ...good, tag: '../x' }, { ...good, repository: 'A' }, { ...good, descriptor: { digest: 'x' } }, 1];
    await writeFile(file, JSON.stringify({ version: 1, tags: [...bad, good] }));
    const { memory, warnings } = await started(file);
    await expect(memory.last(NAME)).resolves.toMatchObject({ descriptor: DESCRIPTOR });
    expect(warnings).toEqual([]);
    await memory.stop();
  });
});
