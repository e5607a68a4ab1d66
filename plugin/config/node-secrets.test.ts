import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parseNodeConfig } from '../config.ts';
import { readNodeSecrets } from './node-secrets.ts';

const TEXT = '[admin]\ntoken_file = "/t"\n[[upstream.registry]]\nhost = "r"\nusername = "u"\npassword_file = "/p"\n';
const CONFIG = parseNodeConfig({ text: TEXT, file: 's.toml', env: {}, hostName: 'h' });

describe('readNodeSecrets()', () => {
  it('reads what the configuration names, and shows none of it', async () => {
    const secrets = await readNodeSecrets(CONFIG, async (file) => `${file} s3cret\n`);
    expect(secrets.adminToken?.reveal()).toBe('/t s3cret');
    expect(secrets.registryPasswords.get('r')?.reveal()).toBe('/p s3cret');
    expect(`${inspect(secrets, { depth: 9 })}${JSON.stringify(secrets)}${secrets.adminToken}`).not.toContain('s3cret');
  });

  it.each([
    ['is empty', async () => '\n', /admin\.token_file "\/t" is empty/],
    ['is too long', async () => 'x'.repeat(70_000), /has more than 65536/],
    [
      'is not there',
      async () => {
        throw new Error('ENOENT');
      },
      /Reading admin\.token_file "\/t" failed|Reading upstream\.registry\[0\]\.password_file "\/p" failed/,
    ],
  ])('names key and file when one %s', async (_name, read, reason) => {
    const tokenOnly = { ...CONFIG, upstream: { ...CONFIG.upstream, registries: [] } };
    await expect(readNodeSecrets(tokenOnly, read)).rejects.toThrow(reason);
  });
});
