/** What is ours inside containerd's content directory, and giving it up. */
import { readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Digest, parseDigest } from '../../core/oci/digest.ts';
import { errnoOf, fromErrno } from '../../core/runtime/errors.ts';

/** The store's own directory; everything else below the root is containerd's. */
export function ourDirectory(contentRoot: string): string {
  return join(contentRoot, 'shoal');
}

/** Claims whose blob is not there; undefined when there is no directory of ours. */
export async function openClaims(contentRoot: string): Promise<Digest[] | undefined> {
  const names = await namesIn(ourDirectory(contentRoot));
  if (names === undefined) return undefined;
  const claims = (await namesIn(join(ourDirectory(contentRoot), 'claims'))) ?? [];
  // A daemon that was killed right after a blob became whole leaves its claim; the record of that blob is a good one.
  const blobs = new Set(await namesIn(join(contentRoot, 'blobs', 'sha256')));
  const open = claims.filter((name) => /^[0-9a-f]{64}$/.test(name) && !blobs.has(name));
  return open.map((hex) => parseDigest(`sha256:${hex}`));
}

export async function removeOurDirectory(contentRoot: string): Promise<void> {
  const directory = ourDirectory(contentRoot);
  await rm(directory, { recursive: true, force: true }).catch((error: unknown) => {
    throw fromErrno(error, `Removing "${directory}"`);
  });
}

/** A socket of this machine that does not answer in this time is not served. */
const CONNECT_TIMEOUT_MS = 2_000;

/** True when somebody listens on a unix socket. */
export function isServed(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const settle = (isOpen: boolean) => {
      connection.destroy();
      resolve(isOpen);
    };
    connection.setTimeout(CONNECT_TIMEOUT_MS, () => settle(false));
    connection.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}

async function namesIn(directory: string): Promise<string[] | undefined> {
  return readdir(directory).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fromErrno(error, `Reading "${directory}"`);
  });
}
