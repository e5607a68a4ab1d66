import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../../core/runtime/clock.ts';
import type { Entry } from './entry-reader.ts';
import { readExecEntry } from './exec-entry.ts';
import { ExecPlugin } from './exec-plugin.ts';

const V1 = 'client.authentication.k8s.io/v1';
const V1BETA1 = 'client.authentication.k8s.io/v1beta1';
let folder: string;
let nowMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-exec-'));
  nowMs = Date.UTC(2026, 0, 1);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A plugin that does as a shell script says; each run leaves a line in `runs`. */
function plugin(script: string, more: object = {}, deadlineMs = 5_000): ExecPlugin {
  const file = join(folder, 'plugin');
  writeFileSync(file, `#!/bin/sh\necho run >>"${folder}/runs"\n${script}\n`);
  chmodSync(file, 0o755);
  const value = { exec: { apiVersion: V1, command: './plugin', interactiveMode: 'Never', ...more } };
  const entry: Entry = {
    document: { file: join(folder, 'config'), document: 1, value, lineOf: () => 1 },
    path: [],
    value,
  };
  const deps = {
    env: { PATH: '/usr/bin:/bin', HOME: '/home/x' },
    clock: { ...systemClock, now: () => nowMs, monotonicMs: () => nowMs },
    deadlineMs,
  };
  const cluster = { server: 'https://10.0.0.1', 'certificate-authority-data': 'Q0E=' };
  return new ExecPlugin(deps, readExecEntry(entry), cluster);
}

const answer = (status: object, apiVersion = V1) =>
  `echo '${JSON.stringify({ kind: 'ExecCredential', apiVersion, status })}'`;
const runs = () =>
  existsSync(join(folder, 'runs')) ? readFileSync(join(folder, 'runs'), 'utf8').split('\n').length - 1 : 0;
const ask = (one: ExecPlugin, isRefused = false) => one.credential({ isRefused });

describe('ExecPlugin', () => {
  it.each([V1, V1BETA1])(
    'credential() runs a plugin of %s with its arguments, environment and what it is told',
    async (apiVersion) => {
      const script = `echo "$KUBERNETES_EXEC_INFO" >"${folder}/info"; echo "$1 $NAME $HOME" >"${folder}/args"; ${answer({ token: 't' }, apiVersion)}`;
      const one = plugin(script, {
        apiVersion,
        args: ['get-token'],
        env: [{ name: 'NAME', value: 'value' }],
        provideClusterInfo: true,
      });
      expect(await ask(one)).toEqual({ token: 't', certificate: undefined, key: undefined, expiresMs: undefined });
      expect(readFileSync(join(folder, 'args'), 'utf8')).toBe('get-token value /home/x\n');
      expect(JSON.parse(readFileSync(join(folder, 'info'), 'utf8'))).toEqual({
        apiVersion,
        kind: 'ExecCredential',
        spec: { interactive: false, cluster: { server: 'https://10.0.0.1', 'certificate-authority-data': 'Q0E=' } },
      });
    },
  );

  it('credential() keeps an answer until it expires or is refused, and runs once for all who wait', async () => {
    const expirationTimestamp = new Date(nowMs + 60_000).toISOString();
    const one = plugin(answer({ token: 't', expirationTimestamp }));
    await Promise.all([ask(one), ask(one), ask(one)]);
    expect(runs()).toBe(1);
    nowMs += 45_000;
    await ask(one);
    expect(runs()).toBe(1);
    nowMs += 6_000;
    await ask(one);
    expect(runs()).toBe(2);
    const lasting = plugin(answer({ clientCertificateData: 'c', clientKeyData: 'k' }));
    await ask(lasting);
    expect(await ask(lasting)).toMatchObject({ certificate: 'c', key: 'k', token: undefined });
    expect(runs()).toBe(3);
    // One of many requests, refused with what was shown before.
    await ask(lasting, true);
    expect(runs()).toBe(3);
    nowMs += 6_000;
    await ask(lasting, true);
    expect(runs()).toBe(4);
  });

  it.each([
    ['exit 3', /failed: .*Command failed/],
    ['echo "no login" >&2; exit 1', /failed: no login$/],
    ['echo nonsense', /did not answer with JSON/],
    [answer({ token: 't' }, V1BETA1), /did not answer with an ExecCredential of "client.authentication.k8s.io\/v1"/],
    [answer({}), /gave neither a token nor a certificate/],
    [answer({ clientKeyData: 'k' }), /a certificate or a key, but not both/],
    [answer({ token: 't', expirationTimestamp: 'soon' }), /a time of expiry that is no time/],
    ['exec sleep 30', /was ended: no answer in 300 ms/],
    ['head -c 3000000 /dev/zero', /was ended|failed/],
  ])('credential() tells of a plugin that does "%s"', async (script, message) => {
    const failure = ask(plugin(script, {}, 300));
    await expect(failure).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringMatching(message) });
  });

  it('credential() tells how to get a plugin that is not there, and tries again the next time', async () => {
    const one = plugin('', { command: 'kubesrc-none', installHint: 'See example.com' });
    await expect(ask(one)).rejects.toThrow('Credential plugin "kubesrc-none" is not there; See example.com');
    await expect(ask(one)).rejects.toThrow(/is not there/);
  });
});
