/** The mesh's keyring file: keys in base64, one a line or as a JSON list (serf's form); the first one seals. Pure. */
import { CodedError } from '../../core/runtime/errors.ts';

/** AES-128, AES-192 and AES-256. */
const KEY_BYTES: ReadonlySet<number> = new Set([16, 24, 32]);
/** Each key is tried on what no other opens. */
const KEYS_MAX = 16;

/** @throws CodedError INVALID_ARGUMENT naming the file and the key's place; never the key */
export function parseKeyring(text: string, file: string): Uint8Array[] {
  const lines = text.trimStart().startsWith('[') ? listed(text, file) : text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0) throw wrong(file, 'holds no key; "shoal keygen" prints one');
  if (keys.length > KEYS_MAX) throw wrong(file, `holds ${keys.length} keys, at most ${KEYS_MAX} are taken`);
  return keys.map((key, index) => parseKey(key, `key ${index + 1}`, file));
}

function listed(text: string, file: string): string[] {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  } catch {
    // The text could be a secret: the parser's message would show some of it.
  }
  throw wrong(file, 'begins as a JSON list but is no list of strings');
}

function parseKey(key: string, which: string, file: string): Uint8Array {
  const bytes = Buffer.from(key, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== key.replace(/=+$/, ''))
    throw wrong(file, `${which} is not base64`);
  if (!KEY_BYTES.has(bytes.length)) throw wrong(file, `${which} has ${bytes.length} bytes, it must have 16, 24 or 32`);
  return bytes;
}

function wrong(file: string, what: string): CodedError {
  return new CodedError('INVALID_ARGUMENT', `mesh.key_file "${file}": ${what}`);
}
