import { describe, expect, it } from '@jest/globals';
import { generateImage } from './generated-image.ts';
import { ImageServer } from './image-server.ts';

async function served() {
  const image = await generateImage({ layerCount: 1, layerSizeBytes: 1000 });
  const server = new ImageServer();
  server.put('library/demo', image, ['latest']);
  const [layer] = image.images[0]?.layers ?? [];
  if (layer === undefined) throw new Error('no layer');
  return { image, server, layer, bytes: image.blobs.get(layer.digest) ?? Buffer.alloc(0) };
}

describe('ImageServer', () => {
  it('answer() gives a manifest by tag and by digest, and only its headers to HEAD', async () => {
    const { image, server } = await served();
    const byTag = server.answer({ method: 'GET', path: '/v2/library/demo/manifests/latest' });
    const byDigest = server.answer({ method: 'GET', path: `/v2/library/demo/manifests/${image.digest}` });
    expect(byTag).toEqual(byDigest);
    expect(byTag.body).toEqual(image.manifests.get(image.digest)?.bytes);
    const head = server.answer({ method: 'HEAD', path: '/v2/library/demo/manifests/latest' });
    expect(head).toEqual({ ...byTag, body: Buffer.alloc(0) });
    expect(head.headers).toMatchObject({
      'docker-content-digest': image.digest,
      'content-length': `${image.target.size}`,
    });
  });

  it('answer() gives blobs whole and by range', async () => {
    const { server, layer, bytes } = await served();
    const ask = (range?: string) =>
      server.answer({ method: 'GET', path: `/v2/library/demo/blobs/${layer.digest}`, range });
    expect(ask()).toMatchObject({ status: 200, body: bytes });
    expect(ask('bytes=10-19')).toMatchObject({ status: 206, body: bytes.subarray(10, 20) });
    expect(ask('bytes=10-').headers['content-range']).toBe(`bytes 10-${bytes.length - 1}/${bytes.length}`);
    expect(ask('bytes=10-99999').body).toEqual(bytes.subarray(10));
    expect(ask(`bytes=${bytes.length}-`).status).toBe(416);
    expect(ask('bytes=5-3').status).toBe(416);
  });

  it.each([
    ['GET', '/v2/', 200],
    ['GET', '/v2/library/demo/tags/list', 200],
    ['GET', '/v2/library/demo/manifests/absent', 404],
    ['GET', '/v2/other/manifests/latest', 404],
    ['GET', '/v2/library/demo/blobs/latest', 404],
    ['GET', '/', 404],
    ['PUT', '/v2/library/demo/manifests/latest', 405],
  ])('answer() to %s %s is %i', async (method, path, status) => {
    const { server } = await served();
    expect(server.answer({ method, path }).status).toBe(status);
  });

  it('put() moves tags and refuses what is no name', async () => {
    const { server } = await served();
    const next = await generateImage({ seed: 'next' });
    server.put('library/demo', next, ['latest']);
    const answer = server.answer({ method: 'HEAD', path: '/v2/library/demo/manifests/latest' });
    expect(answer.headers['docker-content-digest']).toBe(next.digest);
    expect(() => server.put('../x', next, [])).toThrow(TypeError);
  });
});
