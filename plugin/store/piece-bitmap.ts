/**
 * Pieces of a blob and which of them are whole, as kept in `shoal/partial/<hex>/pieces`. Pure.
 *
 * The file: "SHOALPC1", blob size (u64 big-endian), piece size (u64), CRC-32 of all other bytes (u32), then one bit a
 * piece, first piece in the highest bit of the first byte.
 */
import { crc32 } from 'node:zlib';
import { ByteRanges } from './byte-ranges.ts';

/** The smallest piece: a member passes on what it has whole, so a layer of few pieces reaches many members late. */
const PIECE_SIZE_BYTES_MIN = 1024 * 1024;

/** Enough pieces to keep a swarm's links full; from here on larger ones cost fewer requests. */
const PIECE_COUNT_USUAL = 512;
/** The piece of a large blob. */
const PIECE_SIZE_BYTES_USUAL = 4 * 1024 * 1024;

/** More pieces than this make bitmaps that no longer fit a message; larger blobs get larger pieces instead. */
export const PIECE_COUNT_MAX = 8192;

/**
 * The piece size of a blob, the same on every member: 1 MiB, doubled while that makes more than `PIECE_COUNT_USUAL` pieces
 * up to 4 MiB, and beyond that until at most `PIECE_COUNT_MAX` pieces make the blob.
 */
export function pieceSizeFor(sizeBytes: number): number {
  let pieceSizeBytes = PIECE_SIZE_BYTES_MIN;
  const countMax = () => (pieceSizeBytes < PIECE_SIZE_BYTES_USUAL ? PIECE_COUNT_USUAL : PIECE_COUNT_MAX);
  while (Math.ceil(sizeBytes / pieceSizeBytes) > countMax()) pieceSizeBytes *= 2;
  return pieceSizeBytes;
}

const MAGIC = Buffer.from('SHOALPC1', 'latin1');
const HEADER_BYTES = 28;
const CRC_AT = 24;

/** What a `pieces` file says. */
export interface PieceRecord {
  sizeBytes: number;
  pieceSizeBytes: number;
  bits: Uint8Array;
}

/** One bit for each piece that lies wholly within `present`. */
export function wholePieces(present: ByteRanges, sizeBytes: number, pieceSizeBytes: number): Uint8Array {
  const count = Math.ceil(sizeBytes / pieceSizeBytes);
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (let piece = 0; piece < count; piece += 1) {
    const start = piece * pieceSizeBytes;
    if (present.covers(start, Math.min(sizeBytes, start + pieceSizeBytes))) setBit(bits, piece);
  }
  return bits;
}

/** The byte ranges that a record's pieces make. */
export function rangesOfPieces(record: PieceRecord): ByteRanges {
  const present = new ByteRanges();
  const count = Math.ceil(record.sizeBytes / record.pieceSizeBytes);
  for (let piece = 0; piece < count; piece += 1) {
    const start = piece * record.pieceSizeBytes;
    if (hasBit(record.bits, piece)) present.add(start, Math.min(record.sizeBytes, start + record.pieceSizeBytes));
  }
  return present;
}

export function encodePieces(record: PieceRecord): Uint8Array {
  const file = Buffer.alloc(HEADER_BYTES + record.bits.length);
  MAGIC.copy(file);
  file.writeBigUInt64BE(BigInt(record.sizeBytes), 8);
  file.writeBigUInt64BE(BigInt(record.pieceSizeBytes), 16);
  file.set(record.bits, HEADER_BYTES);
  file.writeUInt32BE(checksum(file), CRC_AT);
  return file;
}

/** Undefined for anything that `encodePieces` did not write whole. */
export function decodePieces(bytes: Uint8Array): PieceRecord | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < HEADER_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (file.readUInt32BE(CRC_AT) !== checksum(file)) return undefined;
  const sizeBytes = Number(file.readBigUInt64BE(8));
  const pieceSizeBytes = Number(file.readBigUInt64BE(16));
  if (!Number.isSafeInteger(sizeBytes) || pieceSizeBytes === 0) return undefined;
  const bitsLength = Math.ceil(Math.ceil(sizeBytes / pieceSizeBytes) / 8);
  if (file.length !== HEADER_BYTES + bitsLength) return undefined;
  return { sizeBytes, pieceSizeBytes, bits: file.subarray(HEADER_BYTES) };
}

function checksum(file: Buffer): number {
  return crc32(file.subarray(HEADER_BYTES), crc32(file.subarray(0, CRC_AT)));
}

function setBit(bits: Uint8Array, piece: number): void {
  bits[piece >> 3] = (bits[piece >> 3] ?? 0) | (0x80 >> (piece & 7));
}

function hasBit(bits: Uint8Array, piece: number): boolean {
  return ((bits[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0;
}
