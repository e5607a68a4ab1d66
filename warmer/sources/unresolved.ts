/** What a source says and we cannot use: told with its place, never dropped. */

export interface Unresolved {
  /** As the user gave it, or found below it. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based in its file; absent when it is about the file as a whole. */
  readonly document?: number;
  /** The text that stands there, clipped. */
  readonly value: string;
  readonly reason: string;
}

const VALUE_LENGTH_MAX = 200;

/** A text short enough to be told, on one line. */
export function clipped(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > VALUE_LENGTH_MAX ? `${line.slice(0, VALUE_LENGTH_MAX)}…` : line;
}
