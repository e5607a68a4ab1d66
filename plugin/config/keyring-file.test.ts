import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseKeyring } from './keyring-file.ts';

const FIRST = randomBytes(32).toString('base64');
const SECOND = randomBytes(16).toString('base64');
const shown = (text: string) => parseKeyring(text, 'k').map((key) => Buffer.from(key).toString('base64'));

describe('parseKeyring()', () => {
  it.each([
    ['one line', `${FIRST}\n`, [FIRST]],
    ['lines, with comments and blanks', `# new\n${FIRST}\r\n\n  ${SECOND}  \n`, [FIRST, SECOND]],
    ["serf's JSON", JSON.stringify([FIRST, SECOND]), [FIRST, SECOND]],
  ])('takes %s', (_name, text, keys) => expect(shown(text)).toEqual(keys));

  it.each([
    ['nothing', '\n# none\n', 'holds no key'],
    ['a word', 'secret', 'key 1 is not base64'],
    ['a short key', `${FIRST}\nAAAA`, 'key 2 has 3 bytes'],
    ['broken JSON', `["${FIRST}"`, 'JSON list'],
    ['numbers', '[1]', 'JSON list'],
    ['too many', `${FIRST}\n`.repeat(17), '17 keys'],
  ])('refuses %s, naming the file', (_name, text, message) => {
    expect(() => parseKeyring(text, '/etc/k')).toThrow(`mesh.key_file "/etc/k"`);
    expect(() => parseKeyring(text, '/etc/k')).toThrow(message);
  });

  it('never shows a key in its message', () => {
    const long = randomBytes(33).toString('base64');
    expect(() => parseKeyring(long, 'k')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(long) }),
    );
  });
});
