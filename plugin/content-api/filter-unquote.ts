/** Go's string escapes between `"`, `/` or `|` (containerd `pkg/filters/quote.go`). */

const SIMPLE: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 };
const ESCAPE = /\\(?:([abfnrtv\\])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(["/|]))/y;

/**
 * The text inside a quoted literal, or undefined when an escape in it is not Go's. `\x` and octal escapes are single bytes,
 * so the result is put together as UTF-8.
 */
export function unquote(literal: string): string | undefined {
  const quote = literal[0];
  const body = literal.slice(1, -1);
  if (!body.includes('\\')) return body;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length; ) {
    const next = body.indexOf('\\', at);
    const end = next === -1 ? body.length : next;
    parts.push(Buffer.from(body.slice(at, end)));
    if (next === -1) break;
    ESCAPE.lastIndex = next;
    const match = ESCAPE.exec(body);
    const bytes = match === null ? undefined : escapedBytes(match, quote);
    if (match === null || bytes === undefined) return undefined;
    parts.push(bytes);
    at = next + match[0].length;
  }
  return Buffer.concat(parts).toString();
}

function escapedBytes(match: RegExpExecArray, quote: string | undefined): Uint8Array | undefined {
  const [, simple, hex, short, long, octal, quoted] = match;
  if (simple !== undefined) return Uint8Array.of(SIMPLE[simple] ?? 0);
  if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16));
  if (octal !== undefined) return oneByte(Number.parseInt(octal, 8));
  if (quoted !== undefined) return quoted === quote ? Buffer.from(quoted) : undefined;
  const point = Number.parseInt(short ?? long ?? '', 16);
  return point > 0x10ffff ? undefined : Buffer.from(String.fromCodePoint(point));
}

function oneByte(value: number): Uint8Array | undefined {
  return value > 255 ? undefined : Uint8Array.of(value);
}
