/** What lies on the disk of a node, looked at from outside and hashed again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Digest, hexOf } from '../../core/oci/digest.ts';

const READ_BYTES = 1024 * 1024;

export interface DiskCheck {
  /** Blobs that are there and have their digest. */
  readonly whole: readonly Digest[];
  /** Blobs that are there and have another one. */
  readonly wrong: readonly Digest[];
  readonly bytesVerified: number;
}

/** Looks for these blobs in the cache of a node. */
export async function checkDisk(contentRoot: string, digests: readonly Digest[]): Promise<DiskCheck> {
  const whole: Digest[] = [];
  const wrong: Digest[] = [];
  let bytesVerified = 0;
  for (const digest of digests) {
    const file = fileOf(contentRoot, digest);
    const bytes = await stat(file).then(
      ({ size }) => size,
      () => undefined,
    );
    if (bytes === undefined) continue;
    const isRight = (await sha256Of(file)) === hexOf(digest);
    (isRight ? whole : wrong).push(digest);
    if (isRight) bytesVerified += bytes;
  }
  return { whole, wrong, bytesVerified };
}

/** Turns over one byte in every `everyBytes` of a blob that the node keeps. */
export async function spoilBlob(contentRoot: string, digest: Digest, everyBytes: number): Promise<void> {
  const handle = await open(fileOf(contentRoot, digest), 'r+');
  try {
    const { size } = await handle.stat();
    const byte = Buffer.alloc(1);
    for (let offset = Math.min(everyBytes, size) >> 1; offset < size; offset += everyBytes) {
      await handle.read(byte, 0, 1, offset);
      await handle.write(
        byte.map((value) => value ^ 0xff),
        0,
        1,
        offset,
      );
    }
  } finally {
    await handle.close();
  }
}

function fileOf(contentRoot: string, digest: Digest): string {
  return join(contentRoot, 'shoal/cache', hexOf(digest));
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: READ_BYTES }), hash);
  return hash.digest('hex');
}
