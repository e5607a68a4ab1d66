/** Files that hold one secret: a password, a token. */
import { readFile } from 'node:fs/promises';
import { CodedError, messageOf } from '../core/runtime/errors.ts';

/** Longer than any token or password that anybody takes. */
const SECRET_LENGTH_MAX = 64 * 1024;

/**
 * A file's text without its last line break.
 * @throws CodedError INVALID_ARGUMENT naming key and file, when it cannot be read, is empty or too long
 */
export async function readSecretFile(key: string, file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CodedError('INVALID_ARGUMENT', `Reading ${key} "${file}" failed: ${messageOf(error)}`, { cause: error });
  });
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new CodedError('INVALID_ARGUMENT', `${key} "${file}" is empty`);
  if (text.length <= SECRET_LENGTH_MAX) return secret;
  throw new CodedError('INVALID_ARGUMENT', `${key} "${file}" has more than ${SECRET_LENGTH_MAX} characters`);
}
