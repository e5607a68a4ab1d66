/** `multipart/byteranges` (RFC 9110, section 14.6): several parts of a whole in one answer, its length known beforehand. Pure. */
import type { BytePart } from './range-header.ts';

export interface Multipart {
  readonly contentType: string;
  /** Of the whole body, heads and end included, bytes. */
  readonly length: number;
  readonly sections: readonly { readonly head: Buffer; readonly part: BytePart }[];
  readonly end: Buffer;
}

/** @param boundary a text that is not in the content but by chance of one in 2^128 */
export function multipartOf(
  parts: readonly BytePart[],
  whole: { readonly size: number; readonly mediaType: string; readonly boundary: string },
): Multipart {
  const { size, mediaType, boundary } = whole;
  const sections = parts.map((part, at) => ({ head: headOf(part, at === 0), part }));
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  const bytes = sections.reduce((sum, { head, part }) => sum + head.length + part.end - part.start, end.length);
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length: bytes, sections, end };

  function headOf(part: BytePart, isFirst: boolean): Buffer {
    const lines = [`--${boundary}`, `Content-Type: ${mediaType}`, `Content-Range: ${contentRange(part, size)}`];
    return Buffer.from(`${isFirst ? '' : '\r\n'}${lines.join('\r\n')}\r\n\r\n`);
  }
}

/** The value of `Content-Range`. */
export function contentRange({ start, end }: BytePart, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}
