import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import {
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from '../../core/oci/media-types.ts';
import { CHILDREN_MAX, createKnownBlobs, SOURCES_MAX } from './create-known-blobs.ts';

const config = { mediaType: OCI_CONFIG, digest: digestOf('config'), size: 6 };
const layer = { mediaType: OCI_LAYER_GZIP, digest: digestOf('layer'), size: 500 };
const foreign = {
  mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  digest: digestOf('foreign'),
  size: 9,
};
const hub = { registry: 'docker.io', repository: 'library/nginx' };
const mirror = { registry: 'mirror.example:5000', repository: 'nginx' };

function manifestOf(layers: readonly object[] = [layer], mediaType = OCI_MANIFEST): { digest: Digest; bytes: Buffer } {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));
  return { digest: digestOf(bytes), bytes };
}

function indexOf(manifest: { digest: Digest; bytes: Buffer }): { digest: Digest; bytes: Buffer } {
  const attestation = {
    mediaType: OCI_MANIFEST,
    digest: digestOf('attestation'),
    size: 11,
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  };
  const manifests = [{ mediaType: OCI_MANIFEST, digest: manifest.digest, size: manifest.bytes.length }, attestation];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  return { digest: digestOf(bytes), bytes };
}

describe('learnManifest()', () => {
  it('tells roles and sizes of what a manifest names', () => {
    const known = createKnownBlobs();
    const manifest = manifestOf();
    expect(known.learnManifest(manifest.digest, manifest.bytes).map(({ digest }) => digest)).toEqual([
      config.digest,
      layer.digest,
    ]);
    expect(known.get(config.digest)).toEqual({ size: 6, role: 'config', mediaType: OCI_CONFIG });
    expect(known.get(layer.digest)).toEqual({ size: 500, role: 'layer', mediaType: OCI_LAYER_GZIP });
    expect(known.get(manifest.digest)?.role).toBe('manifest');
    expect(known.children(manifest.digest)).toHaveLength(2);
  });

  it('takes an index with its attestations, and Docker’s own manifests', () => {
    const known = createKnownBlobs();
    const manifest = manifestOf([{ ...layer, mediaType: DOCKER_LAYER_GZIP }], DOCKER_MANIFEST);
    const index = indexOf(manifest);
    expect(known.learnManifest(index.digest, index.bytes)).toHaveLength(2);
    expect(known.get(digestOf('attestation'))?.role).toBe('manifest');
    expect(known.learnManifest(manifest.digest, manifest.bytes)).toHaveLength(2);
    expect(known.get(layer.digest)?.mediaType).toBe(DOCKER_LAYER_GZIP);
  });

  it('learns nothing from what is no manifest, and nothing about foreign layers', () => {
    const known = createKnownBlobs();
    expect(known.learnManifest(digestOf('x'), Buffer.from('x'))).toEqual([]);
    expect(known.children(digestOf('x'))).toBeUndefined();
    const manifest = manifestOf([foreign]);
    known.learnManifest(manifest.digest, manifest.bytes);
    expect(known.get(foreign.digest)).toBeUndefined();
  });

  it('never takes a manifest for a layer because another manifest says so', () => {
    const known = createKnownBlobs();
    const manifest = manifestOf();
    known.learnManifest(manifest.digest, manifest.bytes);
    const liar = manifestOf([{ ...layer, digest: manifest.digest }]);
    known.learnManifest(liar.digest, liar.bytes);
    expect(known.get(manifest.digest)?.role).toBe('manifest');
  });

  it('takes a bounded number of children', () => {
    const known = createKnownBlobs();
    const many = manifestOf(
      Array.from({ length: CHILDREN_MAX + 5 }, (_, at) => ({ ...layer, digest: digestOf(`${at}`) })),
    );
    expect(known.learnManifest(many.digest, many.bytes)).toHaveLength(CHILDREN_MAX);
  });
});

describe('sources()', () => {
  it('come from whatever names the blob, learned before or after, latest first', () => {
    const known = createKnownBlobs();
    const manifest = manifestOf();
    const index = indexOf(manifest);
    known.learnManifest(index.digest, index.bytes);
    known.learnSource(index.digest, hub);
    known.learnManifest(manifest.digest, manifest.bytes);
    expect(known.sources(layer.digest)).toEqual([hub]);
    known.learnSource(index.digest, mirror);
    expect(known.sources(layer.digest)).toEqual([mirror, hub]);
    known.learnSource(manifest.digest, hub);
    expect(known.sources(layer.digest)).toEqual([hub, mirror]);
    expect(known.sources(index.digest)).toEqual([mirror, hub]);
  });

  it('are no guess once they are known for certain', () => {
    const known = createKnownBlobs();
    const guess = { ...mirror, isGuess: true };
    known.learnSource(layer.digest, guess);
    expect(known.sources(layer.digest)).toEqual([guess]);
    known.learnSource(layer.digest, mirror);
    known.learnSource(layer.digest, guess);
    expect(known.sources(layer.digest)).toEqual([mirror]);
  });

  it('are bounded', () => {
    const known = createKnownBlobs();
    for (let at = 0; at < 20; at += 1) known.learnSource(layer.digest, { registry: 'a.example', repository: `r${at}` });
    expect(known.sources(layer.digest)).toHaveLength(SOURCES_MAX);
    expect(known.sources(layer.digest)[0]?.repository).toBe('r19');
  });
});

describe('createKnownBlobs()', () => {
  it('forgets what was longest not asked for', () => {
    const known = createKnownBlobs({ max: 3 });
    const manifest = manifestOf();
    known.learnManifest(manifest.digest, manifest.bytes);
    known.get(config.digest);
    known.learnSource(digestOf('other'), hub);
    expect(known.get(config.digest)).toBeDefined();
    expect(known.sources(digestOf('other'))).toEqual([hub]);
    expect(known.get(manifest.digest)?.role === undefined || known.get(layer.digest) === undefined).toBe(true);
  });
});
