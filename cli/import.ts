/** `shoal import`: images of an archive into a node's cache, and by it into the fleet. */
import { createReadStream } from 'node:fs';
import { formatReference, parseReference } from '../core/oci/reference.ts';
import { CodedError, fromErrno } from '../core/runtime/errors.ts';
import { linesOf } from '../core/runtime/text-lines.ts';
import { formatBytes, parseDuration } from '../core/runtime/units.ts';
import { type AdminOptions, errorIn, withAdminOptions } from './admin-client.ts';
import { callWithBody } from './archive-client.ts';
import type { Host } from './host.ts';
import { fieldsOf, numberIn, textIn } from './json-fields.ts';
import { printJson } from './print.ts';
import type { AddCommand } from './program.ts';

/** Read from the file at once. */
const READ_BYTES = 1024 * 1024;

interface ImportOptions extends AdminOptions {
  readonly name?: string;
  readonly pin?: string;
  readonly json?: true;
}

export const addImport: AddCommand = (program, { host }) => {
  withAdminOptions(
    program.command('import').description("bring the images of an archive into a node's cache, and so to all nodes"),
    {
      isChange: true,
    },
  )
    .argument(
      '<file>',
      'docker save or an OCI layout as tar, plain or packed with gzip or zstd; "-" reads it from stdin',
    )
    .option('--name <ref>', 'what its only image is called')
    .option('--pin <duration>', 'keep it at least so long, as 720h; otherwise eviction may take it when room is needed')
    .option('--json', 'print one JSON document')
    .action((file: string, options: ImportOptions) => importFile(file, options, host));
};

interface Imported {
  readonly names: readonly string[];
  readonly digest: string;
  readonly blobs: number;
  readonly bytes: number;
}

async function importFile(file: string, options: ImportOptions, host: Host): Promise<void> {
  const query = new URLSearchParams();
  if (options.name !== undefined) query.set('name', formatReference(parseReference(options.name)));
  if (options.pin !== undefined) {
    parseDuration(options.pin);
    query.set('pin', options.pin);
  }
  const body = file === '-' ? pipedIn(host) : fileBytes(file);
  const answer = await callWithBody(options, {
    path: `/api/v1/import?${query}`,
    contentType: 'application/x-tar',
    body,
  });
  const images: Imported[] = [];
  let newBytes = 0;
  let isDone = false;
  for await (const line of linesOf(answer)) {
    const fields = fieldsOf(JSON.parse(line));
    if (fields.kind === 'failed') throw errorIn({ error: fields }, 'The node failed to import the archive');
    if (fields.kind === 'blob' && fields.is_new === true) newBytes += numberIn(fields, 'size');
    if (fields.kind === 'image') images.push(imageIn(fields));
    if (fields.kind === 'done') isDone = true;
  }
  if (!isDone) throw new CodedError('UNAVAILABLE', 'The node stopped answering before the archive was read');
  if (options.json) return printJson(host, { images, bytes_new: newBytes });
  for (const { names, digest, blobs, bytes } of images) {
    host.out.write(
      `${names.length === 0 ? '(no name)' : names.join(', ')} ${digest}: ${blobs} blobs, ${formatBytes(bytes)}\n`,
    );
  }
  host.err.write(`${formatBytes(newBytes)} were new\n`);
}

function imageIn(fields: Record<string, unknown>): Imported {
  const names = Array.isArray(fields.names) ? fields.names.filter((name) => typeof name === 'string') : [];
  return {
    names,
    digest: textIn(fields, 'digest'),
    blobs: numberIn(fields, 'blobs'),
    bytes: numberIn(fields, 'bytes'),
  };
}

function pipedIn({ input }: Host): AsyncIterable<Uint8Array> {
  if (input === undefined) throw new CodedError('INVALID_ARGUMENT', 'Nothing is piped in');
  return input;
}

async function* fileBytes(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES })) yield chunk;
  } catch (error) {
    throw fromErrno(error, `Reading "${file}"`);
  }
}
