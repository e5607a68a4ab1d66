import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '../../runtime/clock.ts';
import { systemClock } from '../../runtime/clock.ts';
import { KubeletCredentials } from './kubelet-credentials.ts';

const { signal } = new AbortController();
const VERSION = 'credentialprovider.kubelet.k8s.io/v1';

let folder = '';
let aheadMs = 0;
const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-kubelet-'));
  aheadMs = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A plugin that writes down each run and prints what `answer` says; `$image` is what it was asked about. */
async function plugin(name: string, answer: string): Promise<void> {
  const script = `#!/bin/sh
request=$(cat)
echo "$request $* $EXTRA $OWN" >> '${join(folder, `${name}.log`)}'
image=$(printf %s "$request" | sed 's/.*"image":"\\([^"]*\\)".*/\\1/')
${answer}
`;
  await writeFile(join(folder, name), script, { mode: 0o755 });
}

function printing(answer: object): string {
  return `cat <<END\n${JSON.stringify({ kind: 'CredentialProviderResponse', apiVersion: VERSION, ...answer })}\nEND`;
}

const AUTH = { 'r.io': { username: 'u', password: 'of $image' } };

function spec(name: string, more: object = {}): object {
  return { name, apiVersion: VERSION, matchImages: ['r.io', '*.r.io'], defaultCacheDuration: '10m', ...more };
}

async function source(providers: object[], more: { deadlineMs?: number; onProblem?: (text: string) => void } = {}) {
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({ kind: 'CredentialProviderConfig', apiVersion: 'kubelet.config.k8s.io/v1', providers }),
  );
  const env = { PATH: '/usr/bin:/bin', OWN: 'own', EXTRA: 'old' };
  return new KubeletCredentials({ config: join(folder, 'config.json'), binDirectory: folder, env, clock, ...more });
}

async function runs(name: string): Promise<string[]> {
  const text = await readFile(join(folder, `${name}.log`), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

describe('KubeletCredentials', () => {
  it('get() runs the plugin as the kubelet does: request on its input, arguments, environment', async () => {
    await plugin('p', printing({ cacheKeyType: 'Image', auth: AUTH }));
    const credentials = await source([spec('p', { args: ['get', 'x'], env: [{ name: 'EXTRA', value: 'new' }] })]);
    expect(await credentials.get('r.io', { signal, repository: 'team/app' })).toEqual({
      ...{ kind: 'basic', username: 'u', password: 'of r.io/team/app' },
    });
    expect(await runs('p')).toEqual([
      `{"kind":"CredentialProviderRequest","apiVersion":"${VERSION}","image":"r.io/team/app"} get x new own`,
    ]);
  });

  it.each(['v1', 'v1beta1', 'v1alpha1'])('get() speaks %s', async (version) => {
    const apiVersion = `credentialprovider.kubelet.k8s.io/${version}`;
    await plugin('p', printing({ apiVersion, cacheKeyType: 'Global', auth: AUTH }));
    const credentials = await source([spec('p', { apiVersion })]);
    expect(await credentials.get('r.io', { signal, repository: 'app' })).toMatchObject({ username: 'u' });
    expect((await runs('p'))[0]).toContain(apiVersion);
  });

  it.each([
    ['Image', 3],
    ['Registry', 2],
    ['Global', 1],
  ])('get() keeps an answer for its %s', async (cacheKeyType, times) => {
    const auth = { 'r.io': { username: 'u', password: 'p' }, 'a.r.io': { username: 'u', password: 'p' } };
    await plugin('p', printing({ cacheKeyType, auth }));
    const credentials = await source([spec('p')]);
    for (const [host, repository] of [
      ['r.io', 'one'],
      ['r.io', 'two'],
      ['a.r.io', 'one'],
      ['r.io', 'one'],
    ] as const) {
      expect(await credentials.get(host, { signal, repository })).toMatchObject({ password: 'p' });
    }
    expect(await runs('p')).toHaveLength(times);
  });

  it.each([
    ['the default', {}, 599_000, 601_000],
    ["the answer's own", { cacheDuration: '1m' }, 59_000, 61_000],
  ])('get() asks again after %s time', async (_title, more, keptMs, overMs) => {
    await plugin('p', printing({ cacheKeyType: 'Registry', auth: AUTH, ...more }));
    const credentials = await source([spec('p')]);
    for (const ms of [0, keptMs, overMs]) {
      aheadMs = ms;
      await credentials.get('r.io', { signal, repository: 'app' });
    }
    expect(await runs('p')).toHaveLength(2);
  });

  it('get() keeps nothing when the answer says 0, and runs once for all who ask at once', async () => {
    await plugin('p', printing({ cacheKeyType: 'Registry', auth: AUTH, cacheDuration: '0s' }));
    const credentials = await source([spec('p')]);
    const ask = () => credentials.get('r.io', { signal, repository: 'app' });
    await Promise.all([ask(), ask(), ask()]);
    expect(await runs('p')).toHaveLength(1);
    await ask();
    expect(await runs('p')).toHaveLength(2);
  });

  it('get() takes the most specific key that matches, of all plugins that answer', async () => {
    const entry = (password: string) => ({ username: 'u', password });
    await plugin('p', printing({ cacheKeyType: 'Image', auth: { 'r.io': entry('wide'), 'else.io': entry('other') } }));
    await plugin('q', printing({ cacheKeyType: 'Image', auth: { 'https://r.io/team': entry('narrow') } }));
    const credentials = await source([spec('p'), spec('q')]);
    expect(await credentials.get('r.io', { signal, repository: 'team/app' })).toMatchObject({ password: 'narrow' });
    expect(await credentials.get('r.io', { signal, repository: 'app' })).toMatchObject({ password: 'wide' });
  });

  it('get() runs nothing for images that no plugin is for, or without a repository', async () => {
    await plugin('p', printing({ cacheKeyType: 'Image', auth: AUTH }));
    const credentials = await source([spec('p')]);
    expect(await credentials.get('other.io', { signal, repository: 'app' })).toBeUndefined();
    expect(await credentials.get('r.io', { signal })).toBeUndefined();
    expect(await runs('p')).toEqual([]);
  });

  it('get() finds nothing when the answer has nothing for the image', async () => {
    await plugin('p', printing({ cacheKeyType: 'Image', auth: { 'else.io': { username: 'u', password: 'p' } } }));
    expect(await (await source([spec('p')])).get('r.io', { signal, repository: 'app' })).toBeUndefined();
  });

  it.each([
    ['fails', 'echo secret-5e; exit 3', 'exit code 3'],
    ['says nothing', 'true', 'is not JSON'],
    ['says something else', 'echo \'{"secret-5e":1}\'', 'CredentialProviderResponse'],
    ['says another version', printing({ apiVersion: 'x/v1', cacheKeyType: 'Image' }), 'apiVersion'],
    ['says no key type', printing({ auth: AUTH }), 'cacheKeyType'],
    ['says nonsense', printing({ cacheKeyType: 'Image', auth: { 'r.io': { username: 1 } } }), 'no text'],
    ['says too much', 'yes secret-5e', 'more than'],
    ['is late', 'sleep 30', 'late'],
  ])('get() is UNAVAILABLE when a plugin %s, and repeats nothing of it', async (_title, answer, reason) => {
    await plugin('p', answer);
    const credentials = await source([spec('p')], { deadlineMs: 1_500 });
    const failure: unknown = await credentials
      .get('r.io', { signal, repository: 'app' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining(reason) });
    expect(String(failure)).not.toContain('secret-5e');
  });

  it('get() is UNAVAILABLE when the program is not there, unless another knows', async () => {
    await plugin('q', printing({ cacheKeyType: 'Image', auth: AUTH }));
    const alone = await source([spec('missing')]);
    await expect(alone.get('r.io', { signal, repository: 'app' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const both = await source([spec('missing'), spec('q')]);
    expect(await both.get('r.io', { signal, repository: 'app' })).toMatchObject({ username: 'u' });
  });

  it('get() reads a changed configuration, version() tells, and what was left out is told once', async () => {
    await plugin('p', printing({ cacheKeyType: 'Image', auth: AUTH }));
    const problems: string[] = [];
    const credentials = await source([spec('p'), { name: 'bad' }], { onProblem: (text) => problems.push(text) });
    const before = await credentials.version();
    await credentials.get('r.io', { signal, repository: 'app' });
    await credentials.get('r.io', { signal, repository: 'app' });
    expect(problems).toHaveLength(1);
    await source([spec('p', { matchImages: ['else.io'] })]);
    expect(await credentials.version()).not.toBe(before);
    expect(await credentials.get('r.io', { signal, repository: 'app' })).toBeUndefined();
  });

  it('reads a directory of files in the order of their names', async () => {
    await plugin('p', printing({ cacheKeyType: 'Image', auth: AUTH }));
    const config = join(folder, 'conf.d');
    await mkdir(config);
    const text = (matchImages: string) => `kind: CredentialProviderConfig
apiVersion: kubelet.config.k8s.io/v1
providers: [{ name: p, apiVersion: ${VERSION}, defaultCacheDuration: 0s, matchImages: [${matchImages}] }]
`;
    await writeFile(join(config, '10-first.yaml'), text('r.io'));
    await writeFile(join(config, '20-second.yml'), text('never.io'));
    await writeFile(join(config, 'README'), 'none');
    const problems: string[] = [];
    const onProblem = (problem: string) => problems.push(problem);
    const credentials = new KubeletCredentials({ config, binDirectory: folder, env: {}, clock, onProblem });
    expect(await credentials.get('r.io', { signal, repository: 'app' })).toMatchObject({ username: 'u' });
    expect(problems).toEqual([expect.stringContaining('is configured already')]);
  });

  it('check() refuses what is no configuration', async () => {
    await writeFile(join(folder, 'config.yaml'), 'kind: Pod\n');
    const options = { config: join(folder, 'config.yaml'), binDirectory: folder, env: {}, clock };
    await expect(new KubeletCredentials(options).check()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const absent = { ...options, config: join(folder, 'absent') };
    await expect(new KubeletCredentials(absent).check()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
