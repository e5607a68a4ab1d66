/** `shoal blobs`: every blob on a node's disk, and what holds it. */
import { formatBytes } from '../core/runtime/units.ts';
import { type AdminOptions, createAdminClient, withAdminOptions } from './admin-client.ts';
import type { Host } from './host.ts';
import { fieldsOf, numberIn, textIn, textsIn } from './json-fields.ts';
import type { AddCommand } from './program.ts';

const DIGEST_WIDTH = 71;
const SIZE_WIDTH = 9;
const HOLDS_WIDTH = 22;
const TIME_WIDTH = 24;

export const addBlobs: AddCommand = (program, { host }) => {
  withAdminOptions(program.command('blobs').description("list the blobs on a node's disk"))
    .option('--json', 'print one JSON document')
    .action(async (options: AdminOptions & { json?: true }) => {
      const rows = (await createAdminClient(options)).lines('/api/v1/blobs');
      await (options.json ? printDocument(host, rows) : printRows(host, rows));
    });
};

/** Written as it arrives: a node may hold tens of thousands. */
async function printDocument(host: Host, rows: AsyncIterable<unknown>): Promise<void> {
  let separator = '{ "blobs": [\n  ';
  for await (const row of rows) {
    await write(host, separator + JSON.stringify(row));
    separator = ',\n  ';
  }
  await write(host, separator.startsWith('{') ? '{ "blobs": [] }\n' : '\n] }\n');
}

async function printRows(host: Host, rows: AsyncIterable<unknown>): Promise<void> {
  await write(host, line(['DIGEST', 'SIZE', 'HELD BY', 'LAST USED', 'PINNED UNTIL']));
  for await (const row of rows) {
    const blob = fieldsOf(row);
    const size = formatBytes(numberIn(blob, 'size'));
    const holds = textsIn(blob, 'holds').join(', ');
    const pinned = typeof blob.pinned_until === 'string' ? blob.pinned_until : '';
    await write(host, line([textIn(blob, 'digest'), size, holds, textIn(blob, 'used_at'), pinned]));
  }
}

function line([digest = '', size = '', holds = '', used = '', pinned = '']: readonly string[]): string {
  const columns = [
    digest.padEnd(DIGEST_WIDTH),
    `${size.padStart(SIZE_WIDTH)} `,
    holds.padEnd(HOLDS_WIDTH),
    used.padEnd(TIME_WIDTH),
    pinned,
  ];
  return `${columns.join(' ').trimEnd()}\n`;
}

function write(host: Host, text: string): Promise<void> | void {
  if (host.out.write(text)) return;
  return new Promise((resolve) => host.out.once('drain', () => resolve()));
}
