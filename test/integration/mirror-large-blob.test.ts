/** A blob larger than any 32-bit number through a whole node: streamed, proven, kept, and read again in parts beyond 4 GiB. */
import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { runCommand } from '../support/debian/run-command.ts';
import { startEndlessBlob } from '../support/mirror/endless-blob.ts';
import { startNode } from '../support/node/node-process.ts';

const GIB = 1024 ** 3;
const SIZE = 5 * GIB;
const DEADLINE_MS = 300_000;

const { bavail, bsize } = statfsSync(tmpdir());
const hasRoom = bavail * bsize > SIZE + 4 * GIB;
const isThere = ['curl --version', 'openssl version'].every((line) => spawnSync('sh', ['-c', line]).status === 0);
const reason = hasRoom
  ? isThere
    ? undefined
    : 'curl or openssl is not installed'
  : `"${tmpdir()}" has less than 9 GiB left`;
if (reason !== undefined) process.stderr.write(`A blob of 5 GiB is not tested: ${reason}\n`);

describe('A blob of 5 GiB', () => {
  (reason === undefined ? it : it.skip)(
    'comes through the mirror whole and in parts, and leaves the registry once',
    async () => {
      await using registry = await startEndlessBlob(SIZE);
      await using node = await startNode({ registries: [registry], mirror: true, capacity: '8GiB' });
      const url = `http://${node.mirror}/v2/team/model/blobs/${registry.digest}?ns=${registry.host}`;
      expect(await hashed(url)).toBe(registry.digest.slice(7));
      expect(registry.bytesSent()).toBe(SIZE);
      for (const start of [2 ** 32 - 10, SIZE - 20]) {
        const answer = await fetch(url, { headers: { range: `bytes=${start}-${start + 19}` } });
        expect([answer.status, answer.headers.get('content-range')]).toEqual([
          206,
          `bytes ${start}-${start + 19}/${SIZE}`,
        ]);
        expect(Buffer.from(await answer.arrayBuffer())).toEqual(registry.bytesAt(start, start + 20));
      }
      expect(await node.rows('blobs')).toContainEqual(expect.objectContaining({ digest: registry.digest, size: SIZE }));
      expect(registry.bytesSent()).toBe(SIZE);
    },
    DEADLINE_MS,
  );
});

/** Two programs beside this one, which plays the registry at the same time; openssl, because it knows the processor's own SHA-256. */
async function hashed(url: string): Promise<string> {
  const { stdout, stderr } = await runCommand('sh', ['-c', 'curl -fsS "$0" | openssl dgst -sha256 -r', url], {
    deadlineMs: DEADLINE_MS,
  });
  return `${stdout.slice(0, 64)}${stderr}`;
}
