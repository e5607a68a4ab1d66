/** Paths as configurations write them. Pure. */
import { isAbsolute, normalize } from 'node:path';
import { CodedError } from './errors.ts';

/** A path that does not depend on where the program was started. @throws CodedError INVALID_ARGUMENT */
export function absolutePath(text: string): string {
  if (isAbsolute(text) && !text.includes('\0')) return normalize(text);
  throw new CodedError(
    'INVALID_ARGUMENT',
    `"${text.slice(0, 100)}${text.length > 100 ? '…' : ''}" is not an absolute path`,
  );
}
