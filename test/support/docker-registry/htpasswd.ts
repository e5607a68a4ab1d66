/** A password file as the registry reads it: bcrypt only. Made by libcrypt through perl, which Debian always has. */
import { randomBytes } from 'node:crypto';
import { runCommand } from '../debian/run-command.ts';
import type { PushCredentials } from './push.ts';

/** Cost 4 is bcrypt's least: the registry checks the hash again at every request. */
const BCRYPT_PREFIX = '$2b$04$';

/** One line `user:hash` of an htpasswd file. @throws Error when libcrypt knows no bcrypt */
export async function htpasswdLine(credentials: PushCredentials): Promise<string> {
  // 22 characters of bcrypt's alphabet; the last one carries two bits only, and '.' has them zero.
  const salt = `${randomBytes(16).toString('base64').replaceAll('+', '.').slice(0, 21)}.`;
  const script = 'print crypt($ARGV[0], $ARGV[1])';
  const { stdout } = await runCommand('perl', ['-e', script, credentials.password, `${BCRYPT_PREFIX}${salt}`]);
  if (!stdout.startsWith(BCRYPT_PREFIX)) throw new Error('Hashing a password with bcrypt: libcrypt gave no hash');
  return `${credentials.username}:${stdout}\n`;
}
