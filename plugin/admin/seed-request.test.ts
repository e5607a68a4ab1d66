import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { readLeaseRequest, readPresenceRequest, readSeedRequest } from './seed-request.ts';
import { refuseExposedTokens } from './seed-routes.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const manifest = Buffer.from('{}');
const DIGEST = digestOf(manifest);
const IMAGE = {
  ref: 'registry.example/app:1',
  digest: DIGEST,
  source: { registry: 'registry.example', repository: 'app' },
  manifests: [{ digest: DIGEST, size: 2, media_type: 'm', data: manifest.toString('base64') }],
  blobs: [{ digest: digestOf('layer'), size: 5, media_type: 'l' }],
};
const REQUEST = { pin: { name: 'event', until: '2026-01-01T01:00:00Z' }, images: [IMAGE], targets: ['a', 'b', 'a'] };

describe('readSeedRequest()', () => {
  it('reads what is there and fills in the rest', () => {
    expect(readSeedRequest(REQUEST, NOW)).toEqual({
      pin: { name: 'event', untilMs: NOW + 3_600_000 },
      level: 'content',
      images: [
        {
          ...{ ref: IMAGE.ref, digest: DIGEST, source: IMAGE.source },
          manifests: [{ digest: DIGEST, size: 2, mediaType: 'm', bytes: manifest }],
          blobs: [{ digest: digestOf('layer'), size: 5, mediaType: 'l' }],
        },
      ],
      targets: ['a', 'b'],
      limits: { parallelNodes: 50, parallelBlobs: 4, deadlineMs: 3_600_000, silenceMs: 10_000 },
    });
  });

  it('reads every option', () => {
    const limits = { parallel_nodes: 1, max_bytes_per_node: 9, node_deadline_seconds: 5, silence_seconds: 2 };
    const token = { value: 't', expires_at: '2026-01-01T00:05:00Z' };
    const images = [{ ...IMAGE, token, platforms: ['linux/x86_64'] }];
    const more = { level: 'image', limits, images, newcomers: { zones: ['', 'z'], platforms: ['linux/arm64'] } };
    const request = readSeedRequest({ ...REQUEST, ...more }, NOW);
    expect(request.limits).toMatchObject({
      parallelNodes: 1,
      maxBytesPerNode: 9,
      nodeDeadlineMs: 5_000,
      silenceMs: 2_000,
    });
    expect(request.newcomers).toMatchObject({ zones: ['', 'z'] });
    expect(request.images[0]?.platforms).toEqual([{ os: 'linux', architecture: 'amd64' }]);
    expect(request.images[0]?.token?.reveal()).toBe('t');
  });

  it.each([
    ['no object', [], '"$"'],
    ['an unknown field', { ...REQUEST, limit: {} }, '"$.limit" is not known'],
    ['a misspelt limit', { ...REQUEST, limits: { parallel: 1 } }, '"$.limits.parallel" is not known'],
    ['no pin', { ...REQUEST, pin: undefined }, '"$.pin"'],
    ['a pin that has ended', { ...REQUEST, pin: { name: 'p', until: '2025-01-01T00:00:00Z' } }, 'in the future'],
    ['a pin without a time', { ...REQUEST, pin: { name: 'p', until: 'tomorrow' } }, '$.pin.until'],
    ['a pin with a strange name', { ...REQUEST, pin: { ...REQUEST.pin, name: 'a b' } }, '$.pin.name'],
    ['no images', { ...REQUEST, images: [] }, '$.images'],
    ['too many images', { ...REQUEST, images: Array.from({ length: 1_001 }, () => IMAGE) }, 'at most 1000'],
    ['no targets', { ...REQUEST, targets: 'a' }, '$.targets'],
    ['a digest of another kind', { ...REQUEST, images: [{ ...IMAGE, digest: 'sha512:00' }] }, '$.images[0].digest'],
    ['no manifest of its own', { ...REQUEST, images: [{ ...IMAGE, manifests: [] }] }, '$.images[0].manifests'],
    [
      'a path in the repository',
      { ...REQUEST, images: [{ ...IMAGE, source: { registry: 'r', repository: '../x' } }] },
      'repository',
    ],
    [
      'a size below zero',
      { ...REQUEST, images: [{ ...IMAGE, blobs: [{ ...IMAGE.blobs[0], size: -1 }] }] },
      'blobs[0].size',
    ],
    [
      'bytes of another size',
      { ...REQUEST, images: [{ ...IMAGE, manifests: [{ ...IMAGE.manifests[0], size: 3 }] }] },
      'manifests[0].data',
    ],
    ['a level of its own', { ...REQUEST, level: 'all' }, '$.level'],
    ['no nodes at once', { ...REQUEST, limits: { parallel_nodes: 0 } }, '$.limits.parallel_nodes'],
    ['a platform that is none', { ...REQUEST, newcomers: { platforms: ['linux'] } }, 'linux'],
  ])('refuses %s', (_what, body, message) => {
    expect(() => readSeedRequest(body, NOW)).toThrow(message);
  });

  it('does not quote a token that it refuses', () => {
    const images = [{ ...IMAGE, token: { value: 's3cret', expires_at: 's3cret' } }];
    expect(() => readSeedRequest({ ...REQUEST, images }, NOW)).toThrow(expect.not.stringContaining('s3cret'));
  });
});

describe('refuseExposedTokens()', () => {
  const token = { value: 't', expires_at: '2026-01-01T00:05:00Z' };
  const withToken = readSeedRequest({ ...REQUEST, images: [{ ...IMAGE, token }] }, NOW);

  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])('lets a token come from %s', (caller) => {
    expect(() => refuseExposedTokens(caller, withToken)).not.toThrow();
  });

  it.each(['10.0.0.1', '::ffff:10.0.0.1', undefined])('refuses one from %s', (caller) => {
    expect(() => refuseExposedTokens(caller, withToken)).toThrow(/loopback/);
    expect(() => refuseExposedTokens(caller, readSeedRequest(REQUEST, NOW))).not.toThrow();
  });
});

describe('other requests', () => {
  it('readPresenceRequest() wants digests', () => {
    expect(readPresenceRequest({ digests: [DIGEST], nodes: ['a'] })).toEqual({
      ...{ digests: [DIGEST], nodes: ['a'], silenceMs: 5_000 },
    });
    expect(() => readPresenceRequest({ digests: ['x'] })).toThrow('$.digests[0]');
  });

  it('readLeaseRequest() wants seconds, but for a release', () => {
    const lease = { name: 'warmer', holder: 'h', action: 'acquire', seconds: 30 };
    expect(readLeaseRequest(lease)).toEqual(lease);
    expect(readLeaseRequest({ name: 'warmer', holder: 'h', action: 'release' })).toMatchObject({ seconds: 0 });
    expect(() => readLeaseRequest({ ...lease, seconds: undefined })).toThrow('$.seconds');
    expect(() => readLeaseRequest({ ...lease, action: 'steal' })).toThrow('$.action');
  });
});
