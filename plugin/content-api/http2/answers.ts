/**
 * Header blocks of answers. They are fixed and never touch the peer's dynamic table, so each is one buffer made once
 * (RFC 7541 §6.2.2: literals without indexing; https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 */
import { GRPC_OK, type GrpcStatus } from '../grpc-status.ts';

/** `:status: 200`, index 8 of the static table. */
const STATUS_200 = Buffer.from([0x88]);
/** `content-type` is index 31: 15 in the prefix and 16 after it. */
const CONTENT_TYPE = Buffer.concat([Buffer.from([0x0f, 0x10]), text('application/grpc')]);

/** What every good answer begins with. */
export const RESPONSE_HEADERS = Buffer.concat([STATUS_200, CONTENT_TYPE]);

/** What every good answer ends with. */
export const OK_TRAILERS = literal('grpc-status', String(GRPC_OK));

/** `:status: 415` for what is not gRPC: `:status` is index 8. */
export const NOT_GRPC = Buffer.concat([Buffer.from([0x08]), text('415')]);

/** The trailers of a status; with `isOnly` they are the whole answer. */
export function trailersOf(status: GrpcStatus, isOnly: boolean): Buffer {
  if (status.code === GRPC_OK && !isOnly) return OK_TRAILERS;
  const code = literal('grpc-status', String(status.code));
  const message = status.details === '' ? Buffer.alloc(0) : literal('grpc-message', percentEncode(status.details));
  return Buffer.concat([isOnly ? RESPONSE_HEADERS : Buffer.alloc(0), code, message]);
}

/** gRPC's own percent-encoding: everything but printable ASCII, and the percent sign. */
function percentEncode(details: string): string {
  return details.replace(/[^\x20-\x24\x26-\x7e]+/gu, (odd) =>
    [...Buffer.from(odd)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

/** A string without Huffman code, its length with a 7-bit prefix. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const head = [];
  if (bytes.length < 127) head.push(bytes.length);
  else {
    head.push(127);
    let rest = bytes.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) head.push((rest % 128) | 128);
    head.push(rest);
  }
  return Buffer.concat([Buffer.from(head), bytes]);
}
