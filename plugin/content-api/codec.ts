/**
 * The messages of the hot calls (Info, Read, Write) by hand: containerd makes tens of thousands of them for each GiB, and
 * every answer becomes one buffer. The cold calls use proto-loader; both read and write the same bytes. Pure.
 */
import type {
  InfoRequest,
  InfoResponse,
  InfoMessage,
  ReadRequest,
  ReadResponse,
  Timestamp,
  WriteRequest,
  WriteResponse,
} from './content-messages.ts';
import { ProtoReader } from './proto-reader.ts';
import { bytesFieldLength, intFieldLength, putBytesHead, putIntField, putStringField } from './proto-writer.ts';

/** Tags: field number times eight plus wire type (0 number, 2 bytes). */
const TAG = {
  INT1: 8,
  STRING1: 10,
  STRING2: 18,
  INT2: 16,
  INT3: 24,
  BYTES3: 26,
  INT4: 32,
  BYTES4: 34,
  INT5: 40,
  BYTES5: 42,
  BYTES6: 50,
  BYTES7: 58,
};
const NO_BYTES: Uint8Array = Buffer.alloc(0);

export function decodeDigestRequest(bytes: Buffer): InfoRequest {
  const reader = new ProtoReader(bytes);
  let digest = '';
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.STRING1) digest = reader.string();
    else reader.skip(tag);
  }
  return { digest };
}

export function decodeReadRequest(bytes: Buffer): ReadRequest {
  const reader = new ProtoReader(bytes);
  const request = { digest: '', offset: 0, size: 0 };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.STRING1) request.digest = reader.string();
    else if (tag === TAG.INT2) request.offset = reader.int64();
    else if (tag === TAG.INT3) request.size = reader.int64();
    else reader.skip(tag);
  }
  return request;
}

export function decodeWriteRequest(bytes: Buffer): WriteRequest {
  const reader = new ProtoReader(bytes);
  let labels: Map<string, string> | undefined;
  const request = { action: 0, ref: '', total: 0, expected: '', offset: 0, data: NO_BYTES };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.INT1) request.action = reader.uint32();
    else if (tag === TAG.STRING2) request.ref = reader.string();
    else if (tag === TAG.INT3) request.total = reader.int64();
    else if (tag === TAG.BYTES4) request.expected = reader.string();
    else if (tag === TAG.INT5) request.offset = reader.int64();
    else if (tag === TAG.BYTES6) request.data = reader.bytes();
    else if (tag === TAG.BYTES7) {
      labels ??= new Map();
      putEntry(labels, reader.bytes());
    } else reader.skip(tag);
  }
  return { ...request, labels };
}

function putEntry(labels: Map<string, string>, bytes: Buffer): void {
  const reader = new ProtoReader(bytes);
  let key = '';
  let value = '';
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.STRING1) key = reader.string();
    else if (tag === TAG.STRING2) value = reader.string();
    else reader.skip(tag);
  }
  labels.set(key, value);
}

/** Everything of the message but `data`, which follows it: so that the bytes need not be copied here. */
export function readResponseHead({ offset, data }: ReadResponse): Buffer {
  const head = Buffer.allocUnsafe(
    intFieldLength(offset) + (data.length === 0 ? 0 : bytesFieldLength(data.length) - data.length),
  );
  const at = putIntField(head, 0, { tag: TAG.INT1, value: offset });
  if (data.length > 0) putBytesHead(head, at, { tag: TAG.STRING2, length: data.length });
  return head;
}

export function encodeReadResponse(response: ReadResponse): Buffer {
  return Buffer.concat([readResponseHead(response), response.data]);
}

export function encodeWriteResponse(response: WriteResponse): Buffer {
  const { action, startedAt, updatedAt, offset, total, digest } = response;
  const digestLength = Buffer.byteLength(digest);
  const length =
    intFieldLength(action) +
    timestampFieldLength(startedAt) +
    timestampFieldLength(updatedAt) +
    intFieldLength(offset) +
    intFieldLength(total) +
    stringFieldLength(digestLength);
  const bytes = Buffer.allocUnsafe(length);
  let at = putIntField(bytes, 0, { tag: TAG.INT1, value: action });
  at = putTimestampField(bytes, at, { tag: TAG.STRING2, timestamp: startedAt });
  at = putTimestampField(bytes, at, { tag: TAG.BYTES3, timestamp: updatedAt });
  at = putIntField(bytes, at, { tag: TAG.INT4, value: offset });
  at = putIntField(bytes, at, { tag: TAG.INT5, value: total });
  putStringField(bytes, at, { tag: TAG.BYTES6, text: digest, length: digestLength });
  return bytes;
}

export function encodeInfoResponse({ info }: InfoResponse): Buffer {
  const labels = Object.entries(info.labels).map(([key, value]) => encodeEntry(key, value));
  const length = infoLength(info, labels);
  const bytes = Buffer.allocUnsafe(bytesFieldLength(length));
  let at = putBytesHead(bytes, 0, { tag: TAG.STRING1, length });
  at = putStringField(bytes, at, { tag: TAG.STRING1, text: info.digest, length: Buffer.byteLength(info.digest) });
  at = putIntField(bytes, at, { tag: TAG.INT2, value: info.size });
  at = putTimestampField(bytes, at, { tag: TAG.BYTES3, timestamp: info.createdAt });
  at = putTimestampField(bytes, at, { tag: TAG.BYTES4, timestamp: info.updatedAt });
  for (const label of labels) {
    at = putBytesHead(bytes, at, { tag: TAG.BYTES5, length: label.length });
    bytes.set(label, at);
    at += label.length;
  }
  return bytes;
}

function infoLength(info: InfoMessage, labels: readonly Buffer[]): number {
  return (
    stringFieldLength(Buffer.byteLength(info.digest)) +
    intFieldLength(info.size) +
    timestampFieldLength(info.createdAt) +
    timestampFieldLength(info.updatedAt) +
    labels.reduce((sum, label) => sum + bytesFieldLength(label.length), 0)
  );
}

/** One entry of a map field: a message of key and value. */
function encodeEntry(key: string, value: string): Buffer {
  const keyLength = Buffer.byteLength(key);
  const valueLength = Buffer.byteLength(value);
  const bytes = Buffer.allocUnsafe(stringFieldLength(keyLength) + stringFieldLength(valueLength));
  const at = putStringField(bytes, 0, { tag: TAG.STRING1, text: key, length: keyLength });
  putStringField(bytes, at, { tag: TAG.STRING2, text: value, length: valueLength });
  return bytes;
}

function stringFieldLength(length: number): number {
  return length === 0 ? 0 : bytesFieldLength(length);
}

function timestampLength({ seconds, nanos }: Timestamp): number {
  return intFieldLength(seconds) + intFieldLength(nanos);
}

function timestampFieldLength(timestamp: Timestamp | undefined): number {
  return timestamp === undefined ? 0 : bytesFieldLength(timestampLength(timestamp));
}

function putTimestampField(
  into: Buffer,
  at: number,
  { tag, timestamp }: { tag: number; timestamp: Timestamp | undefined },
): number {
  if (timestamp === undefined) return at;
  let next = putBytesHead(into, at, { tag, length: timestampLength(timestamp) });
  next = putIntField(into, next, { tag: TAG.INT1, value: timestamp.seconds });
  return putIntField(into, next, { tag: TAG.INT2, value: timestamp.nanos });
}
