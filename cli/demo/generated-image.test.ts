import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { extract } from 'tar-stream';
import { digestOf } from '../../core/oci/digest.ts';
import { childrenOf, parseConfigPlatform, parseManifest } from '../../core/oci/manifest.ts';
import { generateImage } from './generated-image.ts';

async function filesIn(tar: Buffer): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) {
    found[entry.header.name] = `${entry.header.type} ${entry.header.mode?.toString(8)} ${entry.header.size}`;
    entry.resume();
  }
  return found;
}

describe('generateImage()', () => {
  it('makes the same image from the same seed, and another from another', async () => {
    const [one, same, other] = await Promise.all([
      generateImage({ seed: 'a' }),
      generateImage({ seed: 'a' }),
      generateImage({ seed: 'b' }),
    ]);
    expect(same.target).toEqual(one.target);
    expect(other.target.digest).not.toBe(one.target.digest);
  });

  it('makes a manifest whose every child is there, with true digests, sizes and diffIDs', async () => {
    const image = await generateImage({ layerCount: 3, layerSizeBytes: 10_000 });
    const manifest = parseManifest(image.manifests.get(image.digest)?.bytes ?? Buffer.alloc(0));
    const children = childrenOf(manifest);
    expect(children).toHaveLength(4);
    for (const { digest, size } of children) {
      const bytes = image.blobs.get(digest) ?? Buffer.alloc(0);
      expect([digestOf(bytes), bytes.length]).toEqual([digest, size]);
    }
    const [config, ...layers] = children.map(({ digest }) => image.blobs.get(digest) ?? Buffer.alloc(0));
    const { rootfs } = JSON.parse(String(config)) as { rootfs: { diff_ids: string[] } };
    expect(rootfs.diff_ids).toEqual(layers.map((layer) => digestOf(gunzipSync(layer))));
    expect(layers.every((layer) => layer.length > 10_000)).toBe(true);
  });

  it('puts files and links with their folders into the first layer', async () => {
    const files = [
      { name: 'bin/tool', bytes: Buffer.from('#!'), mode: 0o755 },
      { name: 'bin/sh', bytes: Buffer.alloc(0), linkTo: 'tool' },
    ];
    const { blobs, images } = await generateImage({ files, layerSizeBytes: 10 });
    const [first] = images[0]?.layers ?? [];
    const tar = gunzipSync(first === undefined ? Buffer.alloc(0) : (blobs.get(first.digest) ?? Buffer.alloc(0)));
    await expect(filesIn(tar)).resolves.toEqual({
      'bin/': 'directory 755 0',
      'data/': 'directory 755 0',
      'bin/tool': 'file 755 2',
      'bin/sh': 'symlink 777 0',
      'data/layer-0.bin': 'file 644 10',
    });
  });

  it('makes an index for several platforms, each with layers of its own', async () => {
    const platforms = [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64', variant: 'v8' },
    ];
    const { manifests, digest, images, blobs } = await generateImage({ platforms });
    const index = parseManifest(manifests.get(digest)?.bytes ?? Buffer.alloc(0));
    expect(childrenOf(index).map(({ platform }) => platform)).toEqual(platforms);
    expect(new Set(images.flatMap((image) => image.layers.map((layer) => layer.digest))).size).toBe(4);
    const configs = images.map((image) => parseConfigPlatform(blobs.get(image.config.digest) ?? Buffer.alloc(0)));
    expect(configs).toEqual(platforms);
  });
});
