import { describe, expect, it } from '@jest/globals';
import { testImage } from '../../test/support/test-image.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { Want } from './blob-source.ts';
import { createKeptManifests } from './create-kept-manifests.ts';
import { createKnownBlobs } from './create-known-blobs.ts';
import { ManualClock } from './fakes/manual-clock.ts';

const SOURCE = { registry: 'registry.example', repository: 'team/app' };
const { signal } = new AbortController();

async function setUp() {
  const clock = new ManualClock();
  const store = createMemoryStore({ clock });
  const known = createKnownBlobs();
  const prepared: Want[] = [];
  const content = { prepare: (wants: readonly Want[]) => void prepared.push(...wants) };
  const manifests = createKeptManifests({ store, known, content, clock });
  const image = await testImage();
  const [one] = image.images;
  const stored = one && image.manifests.get(one.manifest.digest);
  if (one === undefined || stored === undefined) throw new Error('Image has no manifest');
  const found = { descriptor: one.manifest, bytes: stored.bytes };
  return { clock, store, known, prepared, manifests, found, layers: one.layers, config: one.config };
}

describe('createKeptManifests()', () => {
  it('keeps a manifest, teaches what it names, and has the sources asked about what is not here', async () => {
    const { manifests, found, known, prepared, layers, config, store } = await setUp();
    await manifests.keep(found, SOURCE, { signal });
    expect(store.stat(found.descriptor.digest)?.holds.has('cache')).toBe(true);
    expect(known.sources(config.digest)).toEqual([SOURCE]);
    expect(prepared.map(({ digest }) => digest)).toEqual([config, ...layers].map(({ digest }) => digest));
    expect(prepared.every(({ sources }) => sources.length === 1)).toBe(true);
  });

  it('reads it again, with its own media type, and teaches for another repository too', async () => {
    const { manifests, found, known, layers } = await setUp();
    await manifests.keep(found, SOURCE, { signal });
    const other = { ...SOURCE, repository: 'team/copy' };
    for (const source of [SOURCE, SOURCE, other]) {
      expect(await manifests.read(found.descriptor.digest, source)).toMatchObject({
        descriptor: { mediaType: found.descriptor.mediaType, size: found.bytes.length },
      });
    }
    expect(known.sources(layers[0]?.digest ?? found.descriptor.digest)).toEqual([other, SOURCE]);
  });

  it('does not give from memory what the disk has no more', async () => {
    const { manifests, found, store } = await setUp();
    const { digest } = found.descriptor;
    await manifests.keep(found, SOURCE, { signal });
    expect(await manifests.read(digest, SOURCE)).toBeDefined();
    await store.release(digest, 'cache', { keep: false });
    expect(store.stat(digest)).toBeUndefined();
    expect(await manifests.read(digest, SOURCE)).toBeUndefined();
  });
});
