/** The 512 bytes before each entry of a tar archive (POSIX ustar; GNU's sizes beyond 8 GiB), read and written. Pure. */

export const TAR_BLOCK_BYTES = 512;

/** The largest size that eleven octal digits say. */
const OCTAL_SIZE_MAX = 0o77777777777;

export interface RawHeader {
  readonly name: string;
  readonly size: number;
  /** One character: `0` a file, `1` a hard link, `2` a symbolic one, `5` a folder, `x g L K` extended headers. */
  readonly type: string;
  readonly target: string;
}

/** undefined for what is no header: its checksum or its size says so. */
export function parseTarHeader(block: Buffer): RawHeader | undefined {
  const size = numberAt(block, 124, 12);
  if (numberAt(block, 148, 8) !== checksumOf(block) || size === undefined) return undefined;
  const prefix = block.toString('latin1', 257, 262) === 'ustar' && block[262] === 0 ? textAt(block, 345, 155) : '';
  const name = textAt(block, 0, 100);
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0);
  return { name: prefix === '' ? name : `${prefix}/${name}`, size, type, target: textAt(block, 157, 100) };
}

/** A plain file's header; names of up to 100 bytes. The time is 0, so that equal content makes equal archives. */
export function tarHeader({ name, size }: { name: string; size: number }): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  block.write(name, 0, 100, 'utf8');
  block.write('0000644\0', 100, 'latin1');
  block.write('0000000\0', 108, 'latin1');
  block.write('0000000\0', 116, 'latin1');
  if (size <= OCTAL_SIZE_MAX) block.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  else {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write('00000000000\0', 136, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\0', 257, 'latin1');
  block.write('00', 263, 'latin1');
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** The records of a pax header, `<length> <key>=<value>\n` each; what is broken is left out. */
export function paxRecords(bytes: Buffer): Record<string, string> {
  const records: [string, string][] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(bytes.toString('latin1', at, space));
    if (!Number.isSafeInteger(length) || length <= space - at || at + length > bytes.length) break;
    const record = bytes.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    if (equals > 0) records.push([record.slice(0, equals), record.slice(equals + 1)]);
    at += length;
  }
  return Object.fromEntries(records);
}

/** Octal, or with the first bit set GNU's big-endian number. */
function numberAt(block: Buffer, at: number, length: number): number | undefined {
  if (((block[at] ?? 0) & 0x80) !== 0) {
    const value = block.readBigUInt64BE(at + length - 8);
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
  }
  const digits = textAt(block, at, length).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : undefined;
}

/** Of all bytes, its own eight counted as spaces. */
function checksumOf(block: Buffer): number {
  let sum = 0;
  for (let at = 0; at < TAR_BLOCK_BYTES; at += 1) sum += at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
  return sum;
}

function textAt(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}
