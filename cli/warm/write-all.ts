/** Long results, written no faster than they are read. */
import { once } from 'node:events';
import type { Output } from '../host.ts';

/** A few characters a call cost more than the text. */
const BATCH_CHARACTERS = 64 * 1024;

export async function writeAll(out: Output, chunks: Iterable<string>): Promise<void> {
  let batch = '';
  for (const chunk of chunks) {
    batch += chunk;
    if (batch.length < BATCH_CHARACTERS) continue;
    if (!out.write(batch)) await once(out, 'drain');
    batch = '';
  }
  if (batch !== '') out.write(batch);
}
