/** The files of a chart, packed or not, that hold manifests or templates of them. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { CodedError } from '../../../core/runtime/errors.ts';
import { formatBytes } from '../../../core/runtime/units.ts';
import { FILE_BYTES_MAX, readFileText, readText } from '../files/bounded-read.ts';

/** Helm itself refuses archives beyond 100 MiB; manifests are text. */
const UNPACKED_BYTES_MAX = FILE_BYTES_MAX;
const ENTRIES_MAX = 10_000;
/** Below the chart's own directory, and below that of any chart within it. */
const MANIFEST = /(?:^|\/)(?:templates|crds)\/(?:[^/]+\/)*[^_/][^/]*\.(?:ya?ml|json)$/;
const INNER_ARCHIVE = /\/charts\/[^/]+\.tgz$/;

export interface ChartFile {
  /** Within the chart: `web/templates/deployment.yaml`. */
  readonly name: string;
  /** undefined: an archive within the archive, which is not opened. */
  readonly text: string | undefined;
}

/** @throws CodedError RESOURCE_EXHAUSTED beyond the bounds, INVALID_ARGUMENT; what zlib and tar say of a broken archive */
export async function* filesOfArchive(path: string, { signal }: { signal: AbortSignal }): AsyncGenerator<ChartFile> {
  const file = createReadStream(path, { signal });
  const tar = extract();
  const unpacked = Readable.from(bounded(file.pipe(createGunzip())));
  // Errors of the source end the reading of its entries as well.
  file.on('error', (error) => tar.destroy(error));
  unpacked.on('error', (error) => tar.destroy(error));
  unpacked.pipe(tar);
  let entries = 0;
  for await (const entry of tar) {
    entries += 1;
    if (entries > ENTRIES_MAX) throw new CodedError('RESOURCE_EXHAUSTED', `It holds more than ${ENTRIES_MAX} files`);
    const { name, type } = entry.header;
    if (type === 'file' && INNER_ARCHIVE.test(name)) yield { name, text: undefined };
    if (type === 'file' && MANIFEST.test(name)) yield { name, text: await readText(bytesOf(entry), { signal }) };
    else entry.resume();
  }
}

export async function* filesOfFolder(path: string, { signal }: { signal: AbortSignal }): AsyncGenerator<ChartFile> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)))
    .sort();
  for (const name of names.slice(0, ENTRIES_MAX)) {
    if (INNER_ARCHIVE.test(`/${name}`)) yield { name, text: undefined };
    if (MANIFEST.test(name)) yield { name, text: await readFileText(join(path, name), { signal }) };
  }
}

/** tar-stream's entries do not say what they give. */
async function* bytesOf(entry: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of entry) {
    if (Buffer.isBuffer(chunk)) yield chunk;
  }
}

/** A few kilobytes can unpack to gigabytes. */
async function* bounded(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > UNPACKED_BYTES_MAX) {
      throw new CodedError('RESOURCE_EXHAUSTED', `It unpacks to more than ${formatBytes(UNPACKED_BYTES_MAX)}`);
    }
    yield chunk;
  }
}
