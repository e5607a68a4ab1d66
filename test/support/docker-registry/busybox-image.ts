/** A runnable image of one layer: Debian's static busybox as `/bin/busybox`, `sh`, `cat`, `echo`, `sleep`, and given files. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { type Digest, digestOf } from '../../../core/oci/digest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../core/oci/media-types.ts';
import type { PushImage } from './push.ts';

const BUSYBOX = '/bin/busybox';
const APPLETS = ['sh', 'cat', 'echo', 'ls', 'sleep', 'sha256sum'];
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** Builds it for this machine's platform, tagged `v1`. `files`: path below `/` → text. */
export async function busyboxImage(files: Readonly<Record<string, string>>): Promise<PushImage> {
  const layerTar = await layerOf(files);
  const layer = gzipSync(layerTar);
  const config = jsonBytes({
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(layerTar)] },
  });
  const manifest = jsonBytes({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: described(OCI_CONFIG, config),
    layers: [described(OCI_LAYER_GZIP, layer)],
  });
  return { blobs: [config, layer], manifests: [{ mediaType: OCI_MANIFEST, bytes: manifest }], tag: 'v1' };
}

async function layerOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const pack = tar.pack();
  pack.entry({ name: 'bin', type: 'directory', mode: 0o755 });
  pack.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile(BUSYBOX));
  for (const name of APPLETS) pack.entry({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' });
  for (const [name, text] of Object.entries(files)) pack.entry({ name, mode: 0o644 }, text);
  pack.finalize();
  return buffer(pack);
}

function jsonBytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function described(mediaType: string, bytes: Uint8Array): { mediaType: string; digest: Digest; size: number } {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
