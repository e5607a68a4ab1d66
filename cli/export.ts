/** `shoal export`: an image out of the fleet, as an archive that docker, containerd, podman and skopeo read. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import { parsePlatform } from '../core/oci/platform.ts';
import { formatReference, parseReference } from '../core/oci/reference.ts';
import { CodedError, codeOf, fromErrno, messageOf } from '../core/runtime/errors.ts';
import { formatBytes } from '../core/runtime/units.ts';
import { type AdminOptions, withAdminOptions } from './admin-client.ts';
import { callWithBody } from './archive-client.ts';
import type { Host } from './host.ts';
import type { AddCommand } from './program.ts';

interface ExportOptions extends AdminOptions {
  readonly platform?: string;
}

export const addExport: AddCommand = (program, { host }) => {
  withAdminOptions(
    program
      .command('export')
      .description('write an image to an archive that docker, containerd, podman and skopeo read'),
    {
      isChange: true,
    },
  )
    .argument('<ref>', 'the image, as docker and crictl name it')
    .argument('<file>', 'packed when it ends in .gz, .tgz or .zst; "-" writes to stdout')
    .option('--platform <os/arch>', "os/arch[/variant]; the node's own by default")
    .action((ref: string, file: string, options: ExportOptions) => exportImage({ ref, file }, options, host));
};

async function exportImage(
  { ref: typed, file }: { ref: string; file: string },
  options: ExportOptions,
  host: Host,
): Promise<void> {
  const ref = formatReference(parseReference(typed));
  if (options.platform !== undefined) parsePlatform(options.platform);
  const asked = { ref, ...(options.platform && { platform: options.platform }) };
  const archive = await callWithBody(options, {
    path: '/api/v1/export',
    contentType: 'application/json',
    body: Readable.from([Buffer.from(JSON.stringify(asked))]),
  });
  let bytes = 0;
  archive.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  if (file === '-') await toStdout(archive, host);
  else await toFile(archive, file);
  host.err.write(`${ref}: ${formatBytes(bytes)}\n`);
}

async function toStdout(archive: Readable, host: Host): Promise<void> {
  if (host.out.isTTY) throw new CodedError('INVALID_ARGUMENT', 'An archive is not for a terminal; name a file');
  await pipeline(archive, host.out, { end: false }).catch(brokenOff);
}

/** Written aside and renamed, so that no half archive ever has the name of a whole one. */
async function toFile(archive: Readable, file: string): Promise<void> {
  const aside = `${file}.part`;
  const packer = packerOf(file);
  try {
    const out = createWriteStream(aside, { flags: 'w', mode: 0o600 });
    await (packer === undefined ? pipeline(archive, out) : pipeline(archive, packer, out)).catch(brokenOff);
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true });
    throw codeOf(error) === 'INTERNAL' ? fromErrno(error, `Writing "${file}"`) : error;
  }
}

function packerOf(file: string): Transform | undefined {
  if (/\.(gz|tgz)$/.test(file)) return createGzip();
  return /\.(zst|tzst)$/.test(file) ? createZstdCompress() : undefined;
}

function brokenOff(error: unknown): never {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code !== 'ECONNRESET' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  throw new CodedError('UNAVAILABLE', `The node broke the archive off; its log says why (${messageOf(error)})`, {
    cause: error,
  });
}
