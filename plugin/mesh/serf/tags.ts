/** Tags as serf puts them into a member's metadata: 0xFF and a map of strings. (serf `serf.go` encodeTags, decodeTags) */
import { CodedError } from '../../../core/runtime/errors.ts';
import { META_BYTES_MAX } from '../limits.ts';
import { MsgpackReader } from '../wire/msgpack-reader.ts';
import { MsgpackWriter } from '../wire/msgpack-writer.ts';
import { WireFault } from '../wire/wire-fault.ts';

export type Tags = ReadonlyMap<string, string>;

const MAGIC = 0xff;

/** @throws CodedError INVALID_ARGUMENT when they are longer than 512 bytes */
export function encodeTags(tags: Tags): Uint8Array {
  const writer = new MsgpackWriter().raw(MAGIC).map(tags.size);
  for (const [name, value] of [...tags].sort(([a], [b]) => (a < b ? -1 : 1))) writer.text(name).text(value);
  const meta = writer.finish();
  if (meta.length > META_BYTES_MAX) {
    throw new CodedError('INVALID_ARGUMENT', `Tags take ${meta.length} bytes, at most ${META_BYTES_MAX} are allowed`);
  }
  return meta;
}

/** Tags that cannot be read are none: a member lives whatever it says of itself. Before serf 0.4 the whole was a role. */
export function decodeTags(meta: Uint8Array): Tags {
  if (meta.length === 0) return new Map();
  if (meta[0] !== MAGIC) return new Map([['role', Buffer.from(meta).toString('utf8')]]);
  try {
    const reader = new MsgpackReader(Buffer.from(meta), 1);
    const tags = new Map<string, string>();
    for (let left = reader.mapSize(); left > 0; left -= 1) {
      tags.set(reader.text(META_BYTES_MAX), reader.text(META_BYTES_MAX));
    }
    return tags;
  } catch (error) {
    if (error instanceof WireFault) return new Map();
    throw error;
  }
}
