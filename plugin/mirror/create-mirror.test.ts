import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { storedManifest } from '../../cli/demo/image-server.ts';
import { digestOf } from '../../core/oci/digest.ts';
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST } from '../../core/oci/media-types.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { FakeSource } from '../../test/support/content/fake-source.ts';
import { type MirrorSetup, type MirrorSetupOptions, mirrorSetup } from '../../test/support/mirror/mirror-setup.ts';

const setups: MirrorSetup[] = [];
afterEach(async () => {
  for (const setup of setups.splice(0)) await setup[Symbol.asyncDispose]();
});

async function start(options: MirrorSetupOptions = {}): Promise<MirrorSetup> {
  const setup = await mirrorSetup(options);
  setups.push(setup);
  return setup;
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

async function codeIn(response: Response): Promise<string> {
  const { errors } = (await response.json()) as { errors: { code: string }[] };
  return errors.map(({ code }) => code).join();
}

describe('GET /v2/', () => {
  it('says that a registry is here', async () => {
    const { get } = await start();
    const response = await get('/v2/');
    expect(response.status).toBe(200);
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    expect(await response.json()).toEqual({});
  });

  it('listens on IPv6 as well', async () => {
    const { url } = await start({ mirror: { listen: { host: '::1', port: 0 } } });
    expect(url).toMatch(/^http:\/\/\[::1\]:/);
    expect((await fetch(`${url}/v2/`)).status).toBe(200);
  });
});

describe('manifests', () => {
  it('come by tag and by digest, with type, digest and namespace; the tag is asked for each time, the bytes once', async () => {
    const { get, image, registry } = await start();
    for (const reference of ['latest', image.digest, 'latest']) {
      const response = await get(`/v2/team/app/manifests/${reference}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(image.target.mediaType);
      expect(response.headers.get('docker-content-digest')).toBe(image.digest);
      expect(response.headers.get('oci-namespace')).toBe(registry.host);
      expect(digestOf(await bytesOf(response))).toBe(image.digest);
    }
    expect(registry.log.lines()).toEqual([
      'HEAD /v2/team/app/manifests/latest 200',
      `GET /v2/team/app/manifests/${image.digest} 200`,
      'HEAD /v2/team/app/manifests/latest 200',
    ]);
  });

  it('answer HEAD with the length and nothing fetched', async () => {
    const { get, image, registry } = await start();
    for (const reference of ['latest', image.digest]) {
      const response = await get(`/v2/team/app/manifests/${reference}`, { method: 'HEAD' });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-length')).toBe(`${image.target.size}`);
      expect(response.headers.get('docker-content-digest')).toBe(image.digest);
    }
    expect(registry.log.entries.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
  });

  it('are never stale: a moved tag is the new image at once', async () => {
    const { get, registry, image } = await start();
    await bytesOf(await get('/v2/team/app/manifests/latest'));
    const moved = storedManifest(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] });
    registry.put('team/app', { ...image, digest: moved.digest, manifests: new Map([[moved.digest, moved.stored]]) });
    const response = await get('/v2/team/app/manifests/latest');
    expect(response.headers.get('docker-content-digest')).toBe(moved.digest);
    expect(digestOf(await bytesOf(response))).toBe(moved.digest);
  });

  it('are one request upstream when many ask for a tag at once', async () => {
    const { get, registry, image } = await start();
    registry.faults = { delayMs: 100 };
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => get('/v2/team/app/manifests/latest', { method: 'HEAD' })),
    );
    expect(new Set(responses.map(({ headers }) => headers.get('docker-content-digest')))).toEqual(
      new Set([image.digest]),
    );
    expect(registry.log.lines()).toEqual(['HEAD /v2/team/app/manifests/latest 200']);
  });

  it('teach where layers can be had', async () => {
    const { get, known, image, layer, registry } = await start();
    await bytesOf(await get('/v2/team/app/manifests/latest'));
    expect(known.sources(image.digest)).toEqual([{ registry: registry.host, repository: 'team/app' }]);
    expect(known.get(layer.digest)).toMatchObject({ size: layer.size, role: 'layer' });
    expect(known.sources(layer.digest)).toEqual([{ registry: registry.host, repository: 'team/app' }]);
  });

  it('come from another node that has them, which spares the registry a request that it counts', async () => {
    const other = (image: GeneratedImage) =>
      new FakeSource('other', image.manifests.get(image.digest)?.bytes ?? Buffer.alloc(0));
    const { get, registry, image } = await start({ other });
    expect(digestOf(await bytesOf(await get('/v2/team/app/manifests/latest')))).toBe(image.digest);
    expect(registry.log.lines()).toEqual(['HEAD /v2/team/app/manifests/latest 200']);
  });

  it('are 304 for those who have them', async () => {
    const { get, image } = await start();
    const etag = (await get('/v2/team/app/manifests/latest', { method: 'HEAD' })).headers.get('etag') ?? '';
    for (const reference of ['latest', image.digest]) {
      const response = await get(`/v2/team/app/manifests/${reference}`, {
        headers: { 'if-none-match': `W/${etag}, "x"` },
      });
      expect(response.status).toBe(304);
      expect(response.headers.get('etag')).toBe(etag);
    }
    expect((await get('/v2/team/app/manifests/latest', { headers: { 'if-match': '"x"' } })).status).toBe(412);
  });

  it('of artifacts, attestations and Docker lists come as they are', async () => {
    const { get, registry, image } = await start();
    const empty = { mediaType: OCI_EMPTY, digest: digestOf('{}'), size: 2 };
    const list = 'application/vnd.docker.distribution.manifest.list.v2+json';
    const stored = [
      storedManifest(OCI_MANIFEST, {
        ...{
          schemaVersion: 2,
          mediaType: OCI_MANIFEST,
          artifactType: 'application/x.sbom',
          config: empty,
          layers: [empty],
        },
        subject: image.target,
      }),
      storedManifest(list, { schemaVersion: 2, mediaType: list, manifests: [] }),
      storedManifest('application/x.odd', { mediaType: 'application/x.odd\nx: y' }),
    ];
    const manifests = new Map(stored.map(({ digest, stored: one }) => [digest, one]));
    registry.put('team/app', { ...image, manifests }, 'other');
    for (const { digest, stored: one } of stored) {
      for (let time = 0; time < 2; time += 1) {
        const response = await get(`/v2/team/app/manifests/${digest}`);
        const expected = one.mediaType === 'application/x.odd' ? 'application/octet-stream' : one.mediaType;
        expect(response.headers.get('content-type')).toBe(expected);
        expect(await bytesOf(response)).toEqual(one.bytes);
      }
    }
  });

  it('do not give a layer that is here as a manifest', async () => {
    const { get, layer } = await start();
    await bytesOf(await get(`/v2/team/app/blobs/${layer.digest}`));
    const response = await get(`/v2/team/app/manifests/${layer.digest}`);
    expect(response.status).toBe(404);
    expect(await codeIn(response)).toBe('MANIFEST_UNKNOWN');
  });

  it('are served although the disk has no room for them', async () => {
    const manifests = { read: async () => undefined, keep: () => Promise.reject(new Error('full')) };
    const { get, image } = await start({ deps: { manifests } });
    expect(digestOf(await bytesOf(await get('/v2/team/app/manifests/latest')))).toBe(image.digest);
  });
});

describe('a tag whose registry is down', () => {
  it('is its last known digest, with a warning, and counted', async () => {
    const { get, registry, image, metric } = await start();
    await bytesOf(await get('/v2/team/app/manifests/latest'));
    await registry.down();
    for (const method of ['GET', 'HEAD']) {
      const response = await get('/v2/team/app/manifests/latest', { method });
      expect(response.status).toBe(200);
      expect(response.headers.get('warning')).toMatch(/^110 /);
      expect(response.headers.get('docker-content-digest')).toBe(image.digest);
    }
    expect(await metric('shoal_mirror_stale_tags_total')).toBe(2);
    await registry.up();
    expect((await get('/v2/team/app/manifests/latest')).headers.get('warning')).toBeNull();
  });

  it.each([
    ['never known', 'upstream-down'],
    ['not to be served stale', 'never'],
  ] as const)('is 503 when it is %s', async (_why, staleTags) => {
    const { get, registry, metric } = await start({ mirror: { staleTags } });
    if (staleTags === 'never') await bytesOf(await get('/v2/team/app/manifests/latest'));
    await registry.down();
    const response = await get('/v2/team/app/manifests/latest');
    expect(response.status).toBe(503);
    expect(await codeIn(response)).toBe('UNAVAILABLE');
    expect(await metric('shoal_mirror_stale_tags_total')).toBe(0);
  });

  it('is what a registry in trouble makes it, not what one that refuses does', async () => {
    const { get, registry } = await start();
    await bytesOf(await get('/v2/team/app/manifests/latest'));
    registry.faults = { refuse: { status: 502, times: 100 } };
    expect((await get('/v2/team/app/manifests/latest')).headers.get('warning')).toMatch(/^110 /);
    registry.faults = { refuse: { status: 404, times: 100 } };
    expect((await get('/v2/team/app/manifests/latest')).status).toBe(404);
    registry.faults = { refuse: { status: 429, times: 100, retryAfter: '3600' } };
    const limited = await get('/v2/team/app/manifests/latest');
    expect(limited.status).toBe(429);
    expect(await codeIn(limited)).toBe('TOOMANYREQUESTS');
  });
});

describe('blobs', () => {
  it('stream from the registry once, then come from here', async () => {
    const { get, layer, layerBytes, registry, metric } = await start();
    for (let time = 0; time < 2; time += 1) {
      const response = await get(`/v2/team/app/blobs/${layer.digest}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('docker-content-digest')).toBe(layer.digest);
      expect(response.headers.get('content-length')).toBe(`${layer.size}`);
      expect((await bytesOf(response)).equals(layerBytes)).toBe(true);
    }
    expect(registry.log.lines()).toEqual([
      `HEAD /v2/team/app/blobs/${layer.digest} 200`,
      `GET /v2/team/app/blobs/${layer.digest} 200`,
    ]);
    expect(await metric('shoal_mirror_bytes_total')).toBe(2 * layer.size);
    expect(await metric('shoal_mirror_requests_total', { kind: 'blob', status: '200' })).toBe(2);
  });

  it('answer HEAD from the registry or from here', async () => {
    const { get, layer, registry } = await start();
    const head = () => get(`/v2/team/app/blobs/${layer.digest}`, { method: 'HEAD' });
    expect((await head()).headers.get('content-length')).toBe(`${layer.size}`);
    await bytesOf(await get(`/v2/team/app/blobs/${layer.digest}`));
    await registry.down();
    expect((await head()).status).toBe(200);
  });

  it('are 404 and BLOB_UNKNOWN when the registry does not have them', async () => {
    const { get } = await start();
    const response = await get(`/v2/team/app/blobs/${digestOf('absent')}`);
    expect(response.status).toBe(404);
    expect(await codeIn(response)).toBe('BLOB_UNKNOWN');
  });

  it('of no bytes are blobs too', async () => {
    const { get, registry, image } = await start();
    const digest = digestOf('');
    registry.put('team/app', { ...image, blobs: new Map([[digest, Buffer.alloc(0)]]) }, 'x');
    for (let time = 0; time < 2; time += 1) {
      const response = await get(`/v2/team/app/blobs/${digest}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-length')).toBe('0');
      expect((await bytesOf(response)).length).toBe(0);
    }
  });

  it('never end whole when they are not proven', async () => {
    const { get, layer, registry } = await start();
    registry.faults = { wrongBytes: true };
    const ended = get(`/v2/team/app/blobs/${layer.digest}`).then(
      async (response) => (response.ok ? (await bytesOf(response)).length : `status ${response.status}`),
      () => 'cut',
    );
    expect(await ended.catch(() => 'cut')).not.toBe(layer.size);
  });

  it('go on for those who read when another client goes away', async () => {
    const { get, layer, layerBytes, registry, content } = await start();
    registry.faults = { bytesPerSecond: 300_000 };
    const leaving = new AbortController();
    const left = get(`/v2/team/app/blobs/${layer.digest}`, { signal: leaving.signal }).then(bytesOf, () => undefined);
    const stays = get(`/v2/team/app/blobs/${layer.digest}`).then(bytesOf);
    while ([...content.flights()].every(({ readers }) => readers < 2)) await sleep(10);
    leaving.abort();
    await left.catch(() => undefined);
    expect((await stays).equals(layerBytes)).toBe(true);
    expect(registry.log.of(/blobs/).filter(({ method }) => method === 'GET')).toHaveLength(1);
  });

  it('are not fetched on when nobody reads any more', async () => {
    const { get, layer, registry, content } = await start();
    registry.faults = { bytesPerSecond: 100_000 };
    const leaving = new AbortController();
    const left = get(`/v2/team/app/blobs/${layer.digest}`, { signal: leaving.signal }).then(bytesOf);
    while ([...content.flights()].length === 0) await sleep(10);
    leaving.abort();
    await left.catch(() => undefined);
    for (let waited = 0; [...content.flights()].length > 0 && waited < 200; waited += 1) await sleep(10);
    expect([...content.flights()]).toEqual([]);
  });

  it('say why when their registry fails before the first byte', async () => {
    const { get, layer, registry, known } = await start({ mirror: { patienceMs: 300 } });
    await bytesOf(await get('/v2/team/app/manifests/latest'));
    expect(known.get(layer.digest)?.size).toBe(layer.size);
    await registry.down();
    const response = await get(`/v2/team/app/blobs/${layer.digest}`);
    expect(response.status).toBe(503);
    expect(await codeIn(response)).toBe('UNAVAILABLE');
  });

  it('are cut when their registry stops in the middle', async () => {
    const { get, layer, registry } = await start({ image: { layerSizeBytes: 2_000_000 }, mirror: { patienceMs: 500 } });
    registry.faults = { stallAfterBytes: 1_000_000 };
    const response = await get(`/v2/team/app/blobs/${layer.digest}`);
    expect(response.status).toBe(200);
    await expect(bytesOf(response)).rejects.toThrow();
  });

  it('are 503 where this disk has no room, so that clients ask the registry', async () => {
    const { get, layer, store } = await start();
    store.openPartial = () => Promise.reject(new CodedError('RESOURCE_EXHAUSTED', 'Disk is full'));
    expect((await get(`/v2/team/app/blobs/${layer.digest}`)).status).toBe(503);
  });
});

describe('ranges', () => {
  it('come as 206 with their place', async () => {
    const { get, layer, layerBytes } = await start();
    for (const [range, start, end] of [
      ['bytes=0-99', 0, 100],
      ['bytes=299000-', 299_000, layer.size],
      ['bytes=-100', layer.size - 100, layer.size],
      ['BYTES = 5-5', 5, 6],
    ] as const) {
      const response = await get(`/v2/team/app/blobs/${layer.digest}`, { headers: { range } });
      expect(response.status).toBe(206);
      expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${layer.size}`);
      expect((await bytesOf(response)).equals(layerBytes.subarray(start, end))).toBe(true);
    }
  });

  it('that are several come as multipart/byteranges', async () => {
    const { get, layer, layerBytes } = await start();
    const headers = { range: 'bytes=0-9, 100000-100099, -5' };
    const response = await get(`/v2/team/app/blobs/${layer.digest}`, { headers });
    expect(response.status).toBe(206);
    const boundary = /^multipart\/byteranges; boundary=(.+)$/.exec(response.headers.get('content-type') ?? '')?.[1];
    const body = await bytesOf(response);
    expect(response.headers.get('content-length')).toBe(`${body.length}`);
    const parts = body.toString('latin1').split(`--${boundary}`);
    expect(parts.at(-1)).toBe('--\r\n');
    const contents = parts.slice(1, -1).map((part) => part.slice(part.indexOf('\r\n\r\n') + 4, -2));
    expect(contents).toEqual([
      layerBytes.subarray(0, 10).toString('latin1'),
      layerBytes.subarray(100_000, 100_100).toString('latin1'),
      layerBytes.subarray(-5).toString('latin1'),
    ]);
    expect(parts[2]).toContain(`Content-Range: bytes 100000-100099/${layer.size}`);
  });

  it('beyond the end are 416 with the size', async () => {
    const { get, layer } = await start();
    const response = await get(`/v2/team/app/blobs/${layer.digest}`, { headers: { range: `bytes=${layer.size}-` } });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe(`bytes */${layer.size}`);
  });

  it('count only when If-Range names what is here, and only for GET', async () => {
    const { get, layer } = await start();
    const ask = (ifRange: string, method = 'GET') =>
      get(`/v2/team/app/blobs/${layer.digest}`, { method, headers: { range: 'bytes=0-0', 'if-range': ifRange } });
    expect((await ask(`"${layer.digest}"`)).status).toBe(206);
    expect((await ask('"other"')).status).toBe(200);
    expect((await ask('Sun, 22 Nov 2026 00:00:00 GMT')).status).toBe(200);
    expect((await ask(`W/"${layer.digest}"`)).status).toBe(200);
    expect((await ask(`"${layer.digest}"`, 'HEAD')).status).toBe(200);
  });

  it('of a download that runs come as soon as their bytes are there', async () => {
    const { get, layer, layerBytes, registry } = await start();
    registry.faults = { bytesPerSecond: 200_000 };
    const whole = get(`/v2/team/app/blobs/${layer.digest}`).then(bytesOf);
    const response = await get(`/v2/team/app/blobs/${layer.digest}`, { headers: { range: 'bytes=1000-1999' } });
    expect((await bytesOf(response)).equals(layerBytes.subarray(1000, 2000))).toBe(true);
    expect((await whole).equals(layerBytes)).toBe(true);
  });
});

describe('lists', () => {
  it('of tags go on page by page, with links to the mirror', async () => {
    const { get, registry, image, url } = await start();
    registry.put('team/app', image, 'a', 'b', 'c');
    const first = await get(`/v2/team/app/tags/list?n=2&ns=${registry.host}`);
    expect(await first.json()).toEqual({ name: 'team/app', tags: ['a', 'b'] });
    const next = /^<([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await fetch(`${url}${next}`);
    expect(await second.json()).toEqual({ name: 'team/app', tags: ['c', 'latest'] });
    expect(second.headers.get('link')).toBeNull();
    const none = await get(`/v2/team/app/tags/list?n=0&ns=${registry.host}`);
    expect(await none.json()).toEqual({ name: 'team/app', tags: [] });
    expect(none.headers.get('link')).toBeNull();
    expect((await get(`/v2/team/app/tags/list?n=-1&ns=${registry.host}`)).status).toBe(400);
    expect((await get('/v2/team/absent/tags/list')).status).toBe(404);
  });

  it("of referrers are the registry's own, and 404 where it has none, so that clients use tags", async () => {
    const { get, registry, image } = await start();
    const response = await get(`/v2/team/app/referrers/${image.digest}?artifactType=x&ns=${registry.host}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(OCI_INDEX);
    expect(response.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(await response.json()).toMatchObject({ manifests: [] });
    registry.faults = { hidesLists: true };
    expect((await get(`/v2/team/app/referrers/${image.digest}`)).status).toBe(404);
    expect((await get('/v2/team/app/referrers/sha256:short')).status).toBe(400);
  });
});

describe('which registry is asked', () => {
  it('is docker.io without ns, and one in the path when the operator wrote it down', async () => {
    const setup = await start();
    const endpoints = [
      { host: 'docker.io', url: setup.registry.url, isConfigured: true },
      { host: 'registry.example', url: setup.registry.url, isConfigured: true },
    ];
    const { url } = await start({
      upstream: { endpoints },
      mirror: { pathRegistries: ['registry.example'] },
    });
    expect((await fetch(`${url}/v2/team/app/manifests/latest`)).status).toBe(200);
    const inPath = await fetch(`${url}/v2/registry.example/team/app/manifests/latest`);
    expect(inPath.status).toBe(200);
    expect(inPath.headers.get('oci-namespace')).toBeNull();
    expect((await fetch(`${url}/v2/team/app/manifests/latest?ns=registry.example`)).status).toBe(200);
    expect((await fetch(`${url}/v2/other.example/team/app/manifests/latest`)).status).toBe(404);
  });

  it('is none that is not allowed, nor this machine', async () => {
    const { url, registry } = await start({ upstream: { allow: ['registry.example'] } });
    expect((await fetch(`${url}/v2/team/app/manifests/latest?ns=${registry.host}`)).status).toBe(404);
    const { url: open } = await start();
    for (const ns of ['127.0.0.1:1', '[::1]:80', '169.254.169.254', 'localhost:1']) {
      const response = await fetch(`${open}/v2/team/app/manifests/latest?ns=${ns}`);
      expect([403, 503]).toContain(response.status);
    }
  });
});

describe('start()', () => {
  it.each([
    ['0.0.0.0', 'node', 1],
    ['0.0.0.0', 'caller', 0],
    ['127.0.0.1', 'node', 0],
  ] as const)('on %s with authorize = "%s" warns %d times', async (host, authorize, count) => {
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (_: unknown, text: string) => void warnings.push(text) };
    await start({ deps: { log }, mirror: { authorize, listen: { host, port: 0 } } });
    expect(warnings).toHaveLength(count);
  });
});

describe('stop()', () => {
  it('ends, also while bodies are sent', async () => {
    const { get, layer, registry } = await start();
    registry.faults = { bytesPerSecond: 1_000 };
    const reading = get(`/v2/team/app/blobs/${layer.digest}`).then(bytesOf, () => undefined);
    await sleep(100);
    const [setup] = setups.splice(0);
    await setup?.[Symbol.asyncDispose]();
    await reading.catch(() => undefined);
    expect(setups).toEqual([]);
  });
});

describe('configure()', () => {
  it('changes whose rights decide, stale tags and registries in paths, for the next request', async () => {
    const { get, mirror, registry, url } = await start();
    await bytesOf(await get('/v2/team/app/manifests/latest'));
    mirror.configure({ authorize: 'caller', staleTags: 'never', pathRegistries: [registry.host] });
    expect((await fetch(`${url}/v2/`)).status).toBe(401);
    mirror.configure({ authorize: 'node', staleTags: 'never', pathRegistries: [registry.host] });
    expect((await fetch(`${url}/v2/${registry.host}/team/app/manifests/latest`)).status).toBe(200);
    await registry.down();
    expect((await get('/v2/team/app/manifests/latest')).status).toBe(503);
    mirror.configure({});
    expect((await get('/v2/team/app/manifests/latest')).headers.get('warning')).toMatch(/^110 /);
    await registry.up();
  });
});
