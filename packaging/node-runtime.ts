/**
 * The Node that is shipped, for any architecture, through npm: the packages that `node`, which package.json pins, fetches its own binary
 * from. npm keeps what it has fetched, so a second run needs no network.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { createWriteStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import manifest from '../package.json' with { type: 'json' };
import type { Architecture } from './release.ts';

const run = promisify(execFile);

export const NODE_VERSION: string = manifest.devDependencies.node;

/** What npm's registry gave for `NODE_VERSION`, as SHA-512 (Subresource Integrity); a new version needs new ones (`npm view … dist.integrity`). */
export const NODE_INTEGRITY = {
  x64: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  arm64: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
} as const satisfies Record<Architecture['node'], string>;

export interface NodeRuntime {
  /** The program, executable. */
  readonly file: string;
  /** The licences of Node and of what is in it. */
  readonly license: string;
}

/** Fetches, proves and unpacks one into `folder`. @throws Error when npm cannot have it, or gave other bytes than expected */
export async function fetchNodeRuntime(architecture: Architecture, folder: string): Promise<NodeRuntime> {
  const name = nodePackage(architecture);
  await mkdir(folder, { recursive: true });
  const archive = resolve(folder, `${name}-${NODE_VERSION}.tgz`);
  await run('npm', ['pack', '--silent', `${name}@${NODE_VERSION}`, '--pack-destination', folder]);
  const integrity = await sha512(archive);
  if (integrity !== NODE_INTEGRITY[architecture.node]) {
    throw new Error(
      `npm gave ${name}@${NODE_VERSION} with "${integrity}", expected "${NODE_INTEGRITY[architecture.node]}"`,
    );
  }
  const unpacked = await unpack(archive, join(folder, `node-${architecture.node}`));
  await rm(archive);
  return unpacked;
}

export function nodePackage({ node }: Architecture): string {
  return `node-linux-${node}`;
}

async function unpack(archive: string, file: string): Promise<NodeRuntime> {
  let license = '';
  const entries = extract();
  const reading = pipeline(createReadStream(archive), createGunzip(), entries);
  for await (const entry of entries) {
    if (entry.header.name === 'package/bin/node') {
      await pipeline(entry, createWriteStream(`${file}.new`, { mode: 0o755 }));
      await rename(`${file}.new`, file);
    } else if (entry.header.name === 'package/LICENSE') license = await text(entry);
    else entry.resume();
  }
  await reading;
  return { file, license };
}

async function sha512(file: string): Promise<string> {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest('base64')}`;
}
