import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Clock, systemClock } from '../../../../core/runtime/clock.ts';
import { type AccessOptions, findAccess } from './find-access.ts';

const { signal } = new AbortController();
let folder: string;
let nowMs = 0;
const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-access-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function config(name: string, server: string): string {
  const file = join(folder, name);
  mkdirSync(join(file, '..'), { recursive: true });
  const lists = { contexts: [{ name, context: { cluster: name } }], clusters: [{ name, cluster: { server } }] };
  writeFileSync(file, JSON.stringify({ 'current-context': name, ...lists }));
  return file;
}

function account(files: Readonly<Record<string, string>>): string {
  const directory = join(folder, 'account');
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

const POD_ENV = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

function find(env: Record<string, string>, options: AccessOptions = {}) {
  const deps = { env, clock, homeDirectory: folder, accountDirectory: join(folder, 'account') };
  return findAccess(deps, options, { signal });
}

describe('findAccess()', () => {
  it('takes the kubeconfig that is named, else the pod around it, else $KUBECONFIG, else the one at home', async () => {
    const named = config('named', 'https://named');
    expect((await find(POD_ENV, { kubeconfig: named })).server.host).toBe('named');
    account({ token: 't', 'ca.crt': 'CA', namespace: 'shoal\n' });
    expect(await find(POD_ENV)).toMatchObject({
      name: 'in-cluster',
      namespace: 'shoal',
      server: new URL('https://[fd00::1]'),
    });
    const [one, two] = [config('one', 'https://one'), config('two', 'https://two')];
    const KUBECONFIG = `${join(folder, 'missing')}:${one}:${two}`;
    expect((await find({ KUBECONFIG })).server.host).toBe('one');
    expect((await find({ ...POD_ENV, KUBECONFIG }, { context: 'two' })).server.host).toBe('two');
    config('.kube/config', 'https://home');
    expect((await find({})).server.host).toBe('home');
  });

  it('is no pod without a token', async () => {
    config('.kube/config', 'https://home');
    expect((await find(POD_ENV)).server.host).toBe('home');
  });

  it('reads the token of a pod again after a minute, and at once when it was refused', async () => {
    const write = (token: string) => account({ token, 'ca.crt': 'CA' });
    write('one');
    const access = await find(POD_ENV);
    const token = async (isRefused = false) => (await access.credentials({ isRefused, signal })).headers.authorization;
    expect(await token()).toBe('Bearer one');
    expect((await access.credentials({ isRefused: false, signal })).tls).toEqual({ ca: 'CA' });
    write('two');
    expect(await token()).toBe('Bearer one');
    nowMs += 61_000;
    expect(await token()).toBe('Bearer two');
    write('three');
    expect(await token(true)).toBe('Bearer three');
  });

  it('tells what it looked for when there is nothing', async () => {
    await expect(find({})).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/\.kube\/config$/),
    });
    const kubeconfig = join(folder, 'none');
    await expect(find({}, { kubeconfig })).rejects.toThrow(/Read of kubeconfig .*none" failed: .*ENOENT/);
    const broken = join(folder, 'broken');
    writeFileSync(broken, 'contexts: [');
    await expect(find({ KUBECONFIG: broken })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
