import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DockerCredentials } from './docker-credentials.ts';

const { signal } = new AbortController();
const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });

describe('DockerCredentials', () => {
  let folder = '';
  let path = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-registry-'));
    path = join(folder, 'config.json');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const write = (config: unknown) => writeFile(path, JSON.stringify(config));
  const helper = (name: string, script: string) =>
    writeFile(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const credentials = (more: { helperDeadlineMs?: number; onProblem?: (text: string) => void } = {}) =>
    new DockerCredentials({ path, env: { PATH: `${folder}:/usr/bin:/bin` }, ...more });

  it('get() reads the file again when it has changed, and version() tells', async () => {
    const source = credentials();
    await expect(source.get('r.io', { signal })).resolves.toBeUndefined();
    const absent = await source.version();
    await write({ auths: { 'r.io': auth('u:1') } });
    await expect(source.get('r.io', { signal })).resolves.toEqual({ kind: 'basic', username: 'u', password: '1' });
    const first = await source.version();
    await write({ auths: { 'r.io': auth('u:22') } });
    await expect(source.get('r.io', { signal })).resolves.toMatchObject({ password: '22' });
    expect(new Set([absent, first, await source.version()]).size).toBe(3);
    expect(await source.version()).toBe(await source.version());
  });

  it('get() asks the helper with the host on its input', async () => {
    await helper(
      'x',
      'read -r host; echo "{\\"ServerURL\\":\\"$host\\",\\"Username\\":\\"user-of-$host\\",\\"Secret\\":\\"s\\"}"',
    );
    await write({ credHelpers: { 'r.io': 'x' } });
    const found = await credentials().get('r.io', { signal });
    expect(found).toEqual({ kind: 'basic', username: 'user-of-r.io', password: 's' });
  });

  it('get() asks the store for Docker Hub by its old key, and takes an identity token', async () => {
    await helper('x', 'read -r host; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"of $host\\"}"');
    await write({ credsStore: 'x' });
    const found = await credentials().get('docker.io', { signal });
    expect(found).toEqual({ kind: 'identity', refreshToken: 'of https://index.docker.io/v1/' });
  });

  it('get() finds nothing when the helper knows nothing', async () => {
    await helper('x', 'echo "credentials not found in native keychain"; exit 1');
    await write({ credsStore: 'x' });
    await expect(credentials().get('r.io', { signal })).resolves.toBeUndefined();
  });

  it.each([
    ['fails', 'echo my-secret; echo my-secret >&2; exit 2'],
    ['answers no JSON', 'echo my-secret'],
    ['hangs', 'exec sleep 20'],
    ['says too much', 'exec head -c 1000000 /dev/zero'],
  ])('get() is UNAVAILABLE when the helper %s, and repeats none of its words', async (_, script) => {
    await helper('x', script);
    await write({ credsStore: 'x' });
    const failed = await credentials({ helperDeadlineMs: 300 })
      .get('r.io', { signal })
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('docker-credential-x') });
    expect(String(failed)).not.toContain('my-secret');
  });

  it('get() falls back to the entry of the file when the helper is missing', async () => {
    await write({ credsStore: 'absent', auths: { 'r.io': auth('u:p') } });
    await expect(credentials().get('r.io', { signal })).resolves.toMatchObject({ username: 'u' });
    await expect(credentials().get('q.io', { signal })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('get() names a file that is broken, and reports entries that are', async () => {
    const problems: string[] = [];
    await write({ auths: { a: { auth: '!' }, b: auth('u:p') } });
    const source = credentials({ onProblem: (text) => problems.push(text) });
    await source.get('b', { signal });
    await source.get('b', { signal });
    expect(problems).toEqual([`${path}: auths["a"].auth is not the base64 of user:password`]);
    await writeFile(path, 'no json');
    await expect(source.get('b', { signal })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
