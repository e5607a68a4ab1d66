/** The head of an HTTP/1.1 response, read strictly (RFC 9112): whatever our own server does not send is refused. */
import { CodedError } from '../../../core/runtime/errors.ts';

/** Status line and fields of a response, in bytes. */
export const HEAD_BYTES_MAX = 4 * 1024;

const STATUS_LINE = /^HTTP\/1\.1 ([2-5][0-9]{2}) [\x20-\x7e]{0,100}$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]*?)[ \t]*$/;
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/;
/** What frames a message must not be said twice. */
const ONCE = new Set(['content-length', 'transfer-encoding', 'content-type', 'connection']);

export interface ResponseHead {
  readonly status: number;
  readonly contentLength: number;
  readonly contentType: string;
  /** The connection ends after this response. */
  readonly isLast: boolean;
}

/** `text` without the empty line that ends it. @throws CodedError UNAVAILABLE when it is not such a head */
export function parseResponseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const status = STATUS_LINE.exec(statusLine)?.[1];
  if (status === undefined) throw broken('status line');
  const fields = fieldsOf(lines);
  if (fields.has('transfer-encoding')) throw broken('transfer encoding');
  const length = fields.get('content-length') ?? '';
  if (!LENGTH.test(length)) throw broken('content length');
  return {
    status: Number(status),
    contentLength: Number(length),
    contentType: fields.get('content-type') ?? '',
    isLast: fields.get('connection')?.toLowerCase() === 'close',
  };
}

function fieldsOf(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ''] = FIELD.exec(line) ?? [];
    const key = name?.toLowerCase();
    if (key === undefined || (ONCE.has(key) && fields.has(key))) throw broken('header field');
    fields.set(key, value);
  }
  return fields;
}

function broken(what: string): CodedError {
  return new CodedError('UNAVAILABLE', `Peer answered with a ${what} that it must not send`);
}
