/** HPACK's Huffman code (RFC 7541 §5.2, appendix B). It is canonical, so the lengths of the codes are all there is to know. */
import { CodedError } from '../../../core/runtime/errors.ts';

/** Bits of each byte's code, by byte; the end-of-string symbol has 30 ones and never stands in a string. */
const LENGTHS = `
13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28 6 10 10 12 13 6 8 11 10 10 8
11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10 13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6 15 5 6 5
6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28 20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24
23 23 23 23 21 22 23 22 23 23 24 22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22
22 23 26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27 20 24 20 21 22 21 21
23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26`
  .trim()
  .split(/\s+/)
  .map(Number);

/** A binary tree in one array: two slots a node, a positive entry is the next node, a negative one is `-1 - byte`. */
const TREE = buildTree();

/** @throws CodedError INVALID_ARGUMENT for a code that no byte has, or padding that is not the start of end-of-string */
export function decodeHuffman(bytes: Uint8Array): string {
  const out = Buffer.allocUnsafe(Math.ceil((bytes.length * 8) / 5));
  let length = 0;
  let node = 0;
  let padding = 0;
  let isAllOnes = true;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const one = (byte >> bit) & 1;
      const next = TREE[node + one] ?? 0;
      padding += 1;
      isAllOnes = isAllOnes && one === 1;
      if (next > 0) {
        node = next;
        continue;
      }
      if (next === 0) throw new CodedError('INVALID_ARGUMENT', 'Header string is not well-formed Huffman code');
      out[length++] = -1 - next;
      node = 0;
      padding = 0;
      isAllOnes = true;
    }
  }
  if (padding > 7 || !isAllOnes) throw new CodedError('INVALID_ARGUMENT', 'Header string ends within a Huffman code');
  return out.toString('latin1', 0, length);
}

function buildTree(): Int16Array {
  const tree = new Int16Array(2 * 512);
  let nodes = 1;
  const insert = (code: number, bits: number, byte: number) => {
    let node = 0;
    for (let bit = bits - 1; bit > 0; bit -= 1) {
      const slot = node + ((code >>> bit) & 1);
      if (tree[slot] === 0) tree[slot] = 2 * nodes++;
      node = tree[slot] ?? 0;
    }
    tree[node + (code & 1)] = -1 - byte;
  };
  const order = LENGTHS.map((bits, byte) => ({ bits, byte })).sort((a, b) => a.bits - b.bits || a.byte - b.byte);
  let code = 0;
  let before = 0;
  for (const { bits, byte } of order) {
    code <<= bits - before;
    before = bits;
    insert(code, bits, byte);
    code += 1;
  }
  return tree;
}
