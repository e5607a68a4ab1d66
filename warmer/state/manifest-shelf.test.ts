import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, hexOf } from '../../core/oci/digest.ts';
import { createManifestShelf } from './manifest-shelf.ts';

const BYTES = Buffer.from('{"schemaVersion":2}');
const DIGEST = digestOf(BYTES);

describe('createManifestShelf()', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warm-shelf-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('gives what another process kept, and nothing else', async () => {
    const shelf = join(folder, 'deep/m');
    await createManifestShelf(shelf).keep(DIGEST, BYTES);
    expect(await createManifestShelf(shelf).get(DIGEST)).toEqual(BYTES);
    expect(await createManifestShelf(shelf).get(digestOf('other'))).toBeUndefined();
    expect(await readdir(shelf)).toEqual([hexOf(DIGEST)]);
  });

  it('gives nothing for bytes that were changed', async () => {
    await writeFile(join(folder, hexOf(DIGEST)), 'something else');
    expect(await createManifestShelf(folder).get(DIGEST)).toBeUndefined();
  });

  it('does without a folder that cannot be made', async () => {
    await writeFile(join(folder, 'file'), '');
    const shelf = createManifestShelf(join(folder, 'file/m'));
    await shelf.keep(DIGEST, BYTES);
    expect(await shelf.get(DIGEST)).toBeUndefined();
  });
});
