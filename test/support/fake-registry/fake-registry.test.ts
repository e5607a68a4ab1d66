import { describe, expect, it } from '@jest/globals';
import { testImage } from '../test-image.ts';
import { FakeRegistry } from './fake-registry.ts';

async function started() {
  const registry = await FakeRegistry.start();
  const image = await testImage({ layerCount: 1, layerSizeBytes: 1000 });
  registry.put('a/b', image, 'one', 'two');
  const layer = image.images[0]?.layers[0]?.digest ?? '';
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${registry.url}${path}`, { headers: { connection: 'close', ...headers } });
  return { registry, image, layer, get };
}

describe('FakeRegistry', () => {
  it('serves an image under its tags, and writes down what it was asked', async () => {
    const { registry, image, layer, get } = await started();
    await using _ = registry;
    for (const tag of ['one', 'two']) {
      const answer = await get(`/v2/a/b/manifests/${tag}`);
      expect(answer.headers.get('docker-content-digest')).toBe(image.digest);
      await answer.arrayBuffer();
    }
    const part = await get(`/v2/a/b/blobs/${layer}`, { range: 'bytes=10-19' });
    expect((await part.arrayBuffer()).byteLength).toBe(10);
    expect(registry.log.lines()).toEqual([
      'GET /v2/a/b/manifests/one 200',
      'GET /v2/a/b/manifests/two 200',
      `GET /v2/a/b/blobs/${layer} 206`,
    ]);
    expect(registry.log.entries.at(-1)).toMatchObject({ host: 'registry', range: 'bytes=10-19', bytes: 10 });
    expect(registry.log.blobBytes()).toBe(10);
  });

  it('down() ends every answer, up() brings them back on the same port', async () => {
    const { registry, get } = await started();
    await using _ = registry;
    const { url } = registry;
    await registry.down();
    await expect(get('/v2/')).rejects.toThrow();
    await registry.up();
    expect(registry.url).toBe(url);
    expect((await get('/v2/')).status).toBe(200);
  });

  it('takes its faults when they are set, and no longer', async () => {
    const { registry, layer, get } = await started();
    await using _ = registry;
    registry.faults = { refuse: { status: 429, times: 1, retryAfter: '3' } };
    const refused = await get(`/v2/a/b/blobs/${layer}`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '3']);
    expect((await get(`/v2/a/b/blobs/${layer}`)).status).toBe(200);
    registry.faults = { truncate: { afterBytes: 5, times: 1 } };
    await expect(get(`/v2/a/b/blobs/${layer}`).then((answer) => answer.arrayBuffer())).rejects.toThrow();
    await expect(get(`/v2/a/b/blobs/${layer}`).then((answer) => answer.arrayBuffer())).resolves.toBeDefined();
  });

  it('storage gives nothing to those who bring an Authorization or no signature', async () => {
    const { registry, layer, get } = await started();
    await using _ = registry;
    registry.faults = { redirectBlobs: 'other-host' };
    expect((await get(`/v2/a/b/blobs/${layer}`)).status).toBe(200);
    const path = `${registry.storageUrl}/storage/a/b/blobs/${layer}`;
    const closing = { connection: 'close' };
    expect((await fetch(path, { headers: closing })).status).toBe(400);
    const authorized = { headers: { ...closing, authorization: 'Basic x' } };
    expect((await fetch(`${path}?signature=open-sesame`, authorized)).status).toBe(400);
  });
});
