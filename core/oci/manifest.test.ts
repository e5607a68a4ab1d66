import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf } from '../runtime/errors.ts';
import { digestOf } from './digest.ts';
import { childrenOf, isAttestation, MAX_MANIFEST_BYTES, parseConfigPlatform, parseManifest } from './manifest.ts';
import {
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from './media-types.ts';

const config = { mediaType: OCI_CONFIG, digest: digestOf('config'), size: 6 };
const layer = { mediaType: OCI_LAYER_GZIP, digest: digestOf('layer'), size: 5 };
const entry = { mediaType: OCI_MANIFEST, digest: digestOf('manifest'), size: 8 };
const encode = (value: unknown) => Buffer.from(JSON.stringify(value));

describe('parseManifest()', () => {
  it('reads an image manifest with all that a descriptor may say', () => {
    const full = { ...layer, urls: ['https://a/b'], annotations: { a: 'b' }, artifactType: 'x/y' };
    const manifest = parseManifest(
      encode({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config,
        layers: [full],
        subject: entry,
        artifactType: 'x/z',
      }),
    );
    expect(manifest).toEqual({
      kind: 'manifest',
      mediaType: OCI_MANIFEST,
      config,
      layers: [full],
      subject: entry,
      artifactType: 'x/z',
    });
    expect(childrenOf(manifest)).toEqual([config, full]);
  });

  it('reads an index with platforms', () => {
    const platform = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1', 'os.features': ['win32k'] };
    const index = parseManifest(encode({ mediaType: DOCKER_MANIFEST_LIST, manifests: [{ ...entry, platform }] }));
    expect(childrenOf(index)).toEqual([
      {
        ...entry,
        platform: { os: 'windows', architecture: 'amd64', osVersion: '10.0.1', osFeatures: ['win32k'] },
      },
    ]);
  });

  it('tells its kind by its own media type, else by the content type, else by its shape', () => {
    const kind = (value: unknown, type?: string) => {
      const { kind, mediaType } = parseManifest(encode(value), type);
      return [kind, mediaType];
    };
    expect(kind({ mediaType: OCI_MANIFEST, config, layers: [] }, DOCKER_MANIFEST)).toEqual(['manifest', OCI_MANIFEST]);
    expect(kind({ config, layers: null }, `${DOCKER_MANIFEST}; charset=utf-8`)).toEqual(['manifest', DOCKER_MANIFEST]);
    expect(kind({ config }, 'application/json')).toEqual(['manifest', OCI_MANIFEST]);
    expect(kind({ manifests: [] })).toEqual(['index', OCI_INDEX]);
    expect(kind({ manifests: null }, OCI_INDEX)).toEqual(['index', OCI_INDEX]);
  });

  it.each([
    ['a manifest that looks like an index', { mediaType: OCI_MANIFEST, config, manifests: [] }, undefined],
    ['an index that looks like a manifest', { manifests: [], layers: [] }, OCI_INDEX],
    ['another media type', { mediaType: 'text/plain', config, layers: [] }, undefined],
    ['neither', {}, undefined],
    ['a list', [], undefined],
    ['null', null, undefined],
  ])('refuses %s', (_, value, type) => {
    expect(() => parseManifest(encode(value), type)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it.each([
    [{ schemaVersion: 1, fsLayers: [] }, undefined],
    [{ config, layers: [] }, 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
    [{ mediaType: 'application/vnd.docker.distribution.manifest.v1+json' }, undefined],
  ])('refuses Docker schema 1 by name', (value, type) => {
    expect(() => parseManifest(encode(value), type)).toThrow(/Docker schema 1/);
  });

  it.each([
    [{ config: { ...config, size: -1 } }, '$.config.size is -1'],
    [{ config, layers: [layer, { ...layer, size: 1.5 }] }, '$.layers[1].size is 1.5'],
    [{ config, layers: [{ ...layer, size: '5' }] }, '$.layers[0].size is "5"'],
    [{ config, layers: [{ ...layer, size: 2 ** 53 }] }, '$.layers[0].size is 9007199254740992'],
    [{ config, layers: [{ ...layer, digest: 'sha256:abc' }] }, '$.layers[0].digest is "sha256:abc"'],
    [{ config, layers: [{ ...layer, digest: undefined }] }, '$.layers[0].digest is missing'],
    [{ config, layers: [{ ...layer, mediaType: 1 }] }, '$.layers[0].mediaType is 1'],
    [{ config, layers: {} }, '$.layers is not a list'],
    [{ config, layers: [null] }, '$.layers[0] is null'],
    [{ layers: [] }, '$.config is missing'],
    [{ manifests: [{ ...entry, platform: 'linux' }] }, '$.manifests[0].platform is "linux"'],
    [{ manifests: [{ ...entry, platform: { os: 1 } }] }, '$.manifests[0].platform.os is 1'],
    [{ manifests: [{ ...entry, annotations: { a: 1 } }] }, '$.manifests[0].annotations'],
    [{ config, layers: [], subject: 5 }, '$.subject is 5'],
    [{ config: { ...config, urls: [1] } }, '$.config.urls'],
  ])('refuses %j and names the place', (value, message) => {
    expect(() => parseManifest(encode(value))).toThrow(message);
  });

  it('refuses what is too large, and what is not JSON', () => {
    const exact = Buffer.alloc(MAX_MANIFEST_BYTES, ' ');
    encode({ config }).copy(exact);
    expect(parseManifest(exact).kind).toBe('manifest');
    expect(() => parseManifest(Buffer.alloc(MAX_MANIFEST_BYTES + 1))).toThrow(/4393216 at most|4393217 bytes/);
    expect(() => parseManifest(Buffer.from('{'))).toThrow(/not JSON/);
    expect(() => parseManifest(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/not JSON in UTF-8/);
  });

  it('throws nothing but INVALID_ARGUMENT, whatever the JSON', () => {
    const field = fc.constantFrom(
      'config',
      'layers',
      'manifests',
      'mediaType',
      'subject',
      'size',
      'digest',
      'platform',
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.dictionary(field, tie('any'), { maxKeys: 4 })),
    })).any;
    fc.assert(
      fc.property(value, (json) => {
        try {
          parseManifest(encode(json));
        } catch (error) {
          expect(codeOf(error)).toBe('INVALID_ARGUMENT');
        }
      }),
    );
  });
});

describe('isAttestation()', () => {
  it('knows entries made by BuildKit', () => {
    const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
    expect(isAttestation({ ...entry, annotations })).toBe(true);
    expect(isAttestation({ ...layer, mediaType: 'application/vnd.in-toto+json' })).toBe(true);
    expect(isAttestation(entry)).toBe(false);
  });
});

describe('parseConfigPlatform()', () => {
  it('reads the platform of a config and refuses what is none', () => {
    expect(parseConfigPlatform(encode({ os: 'linux', architecture: 'arm', variant: 'v7', rootfs: {} }))).toEqual({
      os: 'linux',
      architecture: 'arm',
      variant: 'v7',
    });
    expect(parseConfigPlatform(encode({}))).toEqual({ os: '', architecture: '' });
    expect(() => parseConfigPlatform(encode({ os: 5 }))).toThrow('$.os is 5');
  });
});
