/** `compress` messages: an algorithm (LZW is the only one) and the compressed message. Read only. */
import { MsgpackReader } from './msgpack-reader.ts';
import { bytes, structure, uint8 } from './structure.ts';
import { inflateLzw } from './lzw.ts';
import { WireFault } from './wire-fault.ts';

const LZW = 0;

/** The message within `message` (its type byte in front). @throws WireFault */
export function inflateMessage(message: Buffer, limits: { bytesMax: number }): Buffer {
  const shape = structure({ algo: uint8, buf: bytes(limits.bytesMax) });
  const { algo, buf } = shape.read(new MsgpackReader(message, 1));
  if (algo !== LZW) throw new WireFault('unsupported', `Compression algorithm ${algo}`);
  const inner = inflateLzw(buf, limits.bytesMax);
  if (inner.length === 0) throw new WireFault('malformed', 'A compressed message is empty');
  return inner;
}
