/** HTTP/2 frames (RFC 9113 §4, §6): their names, and the ones that we send. */
import { STREAMS_MAX } from '../endpoint.ts';
import { CONNECTION_WINDOW, HEADER_LIST_BYTES_MAX, STREAM_WINDOW } from './limits.ts';

export const FRAME_HEAD_BYTES = 9;

export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

export const H2_ERROR = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

export const SETTING = { INITIAL_WINDOW_SIZE: 4, MAX_FRAME_SIZE: 5 } as const;

/** The protocol's defaults, until the peer's settings say otherwise. */
export const DEFAULT_WINDOW = 65_535;
export const WINDOW_MAX = 0x7fff_ffff;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** A violation that ends the connection, with the code that GOAWAY carries. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly h2Code: number;

  constructor(h2Code: number, message: string) {
    super(message);
    this.h2Code = h2Code;
  }
}

export interface FrameHead {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
}

/** Writes a frame's head. @returns where its payload goes */
export function putFrameHead(into: Buffer, at: number, { length, type, flags, stream }: FrameHead): number {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  into[at + 5] = stream >>> 24;
  into[at + 6] = stream >>> 16;
  into[at + 7] = stream >>> 8;
  into[at + 8] = stream;
  return at + FRAME_HEAD_BYTES;
}

function frame(type: number, how: { flags?: number; stream?: number; words?: readonly number[] }): Buffer {
  const { flags = 0, stream = 0, words = [] } = how;
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + 4 * words.length);
  let at = putFrameHead(bytes, 0, { length: 4 * words.length, type, flags, stream });
  for (const word of words) at = bytes.writeUInt32BE(word >>> 0, at);
  return bytes;
}

export function rstStreamFrame(stream: number, code: number): Buffer {
  return frame(FRAME.RST_STREAM, { stream, words: [code] });
}

export function goawayFrame(lastStream: number, code: number): Buffer {
  return frame(FRAME.GOAWAY, { words: [lastStream, code] });
}

export function windowUpdateFrame(stream: number, increment: number): Buffer {
  return frame(FRAME.WINDOW_UPDATE, { stream, words: [increment] });
}

export function pingAckFrame(payload: Buffer): Buffer {
  return frame(FRAME.PING, { flags: FLAG.ACK, words: [payload.readUInt32BE(0), payload.readUInt32BE(4)] });
}

export const SETTINGS_ACK = frame(FRAME.SETTINGS, { flags: FLAG.ACK });

/** What we say first: our settings, and a wide window for the connection. */
export const GREETING = Buffer.concat([settingsFrame(), windowUpdateFrame(0, CONNECTION_WINDOW - DEFAULT_WINDOW)]);

function settingsFrame(): Buffer {
  const settings: [id: number, value: number][] = [
    [3, STREAMS_MAX],
    [SETTING.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
    [6, HEADER_LIST_BYTES_MAX],
  ];
  const bytes = Buffer.alloc(FRAME_HEAD_BYTES + 6 * settings.length);
  let at = putFrameHead(bytes, 0, { length: 6 * settings.length, type: FRAME.SETTINGS, flags: 0, stream: 0 });
  for (const [id, value] of settings) {
    at = bytes.writeUInt16BE(id, at);
    at = bytes.writeUInt32BE(value, at);
  }
  return bytes;
}
