import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpTransport } from '../../../../core/registry/http-transport.ts';
import { type Clock, systemClock } from '../../../../core/runtime/clock.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../../../../test/support/fake-registry/test-certificate.ts';
import { startStandIn } from '../../../../test/support/kubernetes/stand-in.ts';
import { chooseContext, readKubeconfig } from './kubeconfig.ts';
import { kubeconfigAccess } from './kubeconfig-access.ts';
import type { ServerAccess } from './server-access.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const call = { isRefused: false, signal: new AbortController().signal };
let folder: string;
let nowMs: number;
const clock: Clock = { ...systemClock, monotonicMs: () => nowMs, now: () => nowMs };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-kubeconfig-'));
  nowMs = 0;
});

afterEach(() => rmSync(folder, { recursive: true }));

function accessOf(cluster: object, user: object, deadlineMs = 5_000): ServerAccess {
  const config = {
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user }],
  };
  const document = readKubeconfig(JSON.stringify(config, undefined, 1), join(folder, 'config'));
  const env = { PATH: `${folder}:/usr/bin:/bin` };
  return kubeconfigAccess(chooseContext([document], undefined), { env, clock, pluginDeadlineMs: deadlineMs });
}

describe('kubeconfigAccess()', () => {
  it('gives tokens, passwords and in whose name requests are made', async () => {
    expect((await accessOf({}, { token: 't' }).credentials(call)).headers).toEqual({ authorization: 'Bearer t' });
    expect((await accessOf({}, { username: 'u', password: 'p:q' }).credentials(call)).headers).toEqual({
      authorization: `Basic ${base64('u:p:q')}`,
    });
    expect((await accessOf({}, { token: 't', as: 'jane', 'as-groups': ['devs'] }).credentials(call)).headers).toEqual({
      authorization: 'Bearer t',
      'impersonate-user': 'jane',
      'impersonate-group': 'devs',
    });
    expect((await accessOf({}, {}).credentials(call)).headers).toEqual({});
  });

  it('reads a token file again after a minute, or when it was refused; a file goes before a text', async () => {
    const write = (text: string) => writeFileSync(join(folder, 'token'), text);
    write('one\n');
    const access = accessOf({}, { token: 'plain', tokenFile: 'token' });
    const token = async (isRefused: boolean) =>
      (await access.credentials({ ...call, isRefused })).headers.authorization;
    expect(await token(false)).toBe('Bearer one');
    write('two');
    expect(await token(false)).toBe('Bearer one');
    nowMs += 60_000;
    expect(await token(false)).toBe('Bearer two');
    write('three');
    expect(await token(true)).toBe('Bearer three');
    write('');
    // Whoever writes it may be at it just now.
    expect(await token(true)).toBe('Bearer three');
    await expect(accessOf({}, { tokenFile: 'none' }).credentials(call)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  it('gives certificates from the file itself or from files beside it', async () => {
    for (const name of ['ca.pem', 'me.pem', 'me.key']) writeFileSync(join(folder, name), `${name} ${PEM}`);
    const files = { 'client-certificate': 'me.pem', 'client-key': join(folder, 'me.key') };
    const named = accessOf({ 'certificate-authority': 'ca.pem', 'tls-server-name': 'kube.example' }, files);
    expect((await named.credentials(call)).tls).toEqual({
      ca: `ca.pem ${PEM}`,
      certificate: `me.pem ${PEM}`,
      key: `me.key ${PEM}`,
      serverName: 'kube.example',
      isInsecure: false,
    });
    const data = { 'client-certificate-data': base64(PEM), 'client-key-data': base64(`key ${PEM}`), ...files };
    const inside = accessOf({ 'certificate-authority-data': base64(PEM), 'certificate-authority': 'gone' }, data);
    expect((await inside.credentials(call)).tls).toMatchObject({ ca: PEM, certificate: PEM, key: `key ${PEM}` });
    expect((await accessOf({ 'insecure-skip-tls-verify': true }, {}).credentials(call)).tls.isInsecure).toBe(true);
  });

  it.each([
    [{ server: '10.0.0.1' }, {}, /server: it is no address such as/],
    [{ server: 'https://me:secret@10.0.0.1' }, {}, /server: it has a user, a password or a query/],
    [{ 'proxy-url': 'socks5://proxy' }, {}, /proxy-url: proxies are not supported/],
    [{ 'insecure-skip-tls-verify': true, 'certificate-authority': 'x' }, {}, /cannot be true when/],
    [{ 'insecure-skip-tls-verify': 'yes' }, {}, /neither true nor false/],
    [{ 'certificate-authority-data': 'AAAA' }, {}, /not PEM in base64/],
    [{}, { 'client-certificate': 'x' }, /client-certificate: it needs the other one/],
    [{}, { 'auth-provider': { name: 'gcp' } }, /auth-provider: Kubernetes gave it up/],
    [{}, { token: 't', username: 'u' }, /username: a token is given as well/],
    [{}, { token: 5 }, /token: it is no text/],
    [{}, { 'as-groups': ['devs'] }, /as: it is missing/],
    [{}, { as: 'x', 'as-groups': ['a', 'b'] }, /more than one group/],
    [{}, { as: 'x', 'as-user-extra': { a: ['b'] } }, /as-user-extra: it is not supported/],
    [
      {},
      { exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' } },
      /exec.apiVersion: .*not supported/,
    ],
    [{}, { exec: { apiVersion: 'client.authentication.k8s.io/v1' } }, /exec.command: it is missing/],
    [
      {},
      { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'x', interactiveMode: 'Always' } },
      /wants a terminal/,
    ],
    [{ server: 'http://10.0.0.1:8080' }, { token: 't' }, /not sent to "10.0.0.1:8080" over plain http/],
  ])('refuses %j %j', (cluster, user, message) => {
    expect(() => accessOf(cluster, user)).toThrow(message);
  });

  it('tells the file and the line of what it refuses, never its value', () => {
    const refused = () => accessOf({ 'certificate-authority-data': 'c2VjcmV0' }, {});
    expect(refused).toThrow(new RegExp(`^${join(folder, 'config')}:17: certificate-authority-data: `));
    expect(refused).not.toThrow(/c2VjcmV0/);
  });

  it('lets plain http be for a proxy on this machine', async () => {
    const { headers } = await accessOf({ server: 'http://127.0.0.1:8001' }, { token: 't' }).credentials(call);
    expect(headers.authorization).toBe('Bearer t');
  });

  it('trusts the authority of the kubeconfig alone, asks by another name, or looks at nobody', async () => {
    await using server = await startStandIn([]);
    const get = (cluster: object) => statusOf(accessOf({ server: server.url.href, ...cluster }, {}));
    const ca = { 'certificate-authority-data': base64(server.ca) };
    expect(await get(ca)).toBe(200);
    expect(await get({ ...ca, 'tls-server-name': 'localhost' })).toBe(200);
    expect(await get({ 'insecure-skip-tls-verify': true })).toBe(200);
    await expect(get({})).rejects.toThrow(/signed by nobody who is trusted/);
    await expect(get({ ...ca, 'tls-server-name': 'other.example' })).rejects.toThrow(/for another name/);
  });

  it('shows a certificate of its own', async () => {
    await using server = await startStandIn([], { needsCertificate: true });
    const cluster = { server: server.url.href, 'certificate-authority-data': base64(server.ca) };
    const user = {
      'client-certificate-data': base64(TEST_CERTIFICATE),
      'client-key-data': base64(TEST_CERTIFICATE_KEY),
    };
    expect(await statusOf(accessOf(cluster, user))).toBe(200);
    await expect(statusOf(accessOf(cluster, {}))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

async function statusOf(access: ServerAccess): Promise<number> {
  const transport = new HttpTransport();
  try {
    const { headers, tls } = await access.credentials(call);
    const request = { method: 'GET' as const, url: new URL('/apis', access.server), headers, tls };
    const answer = await transport.open(request, { signal: call.signal });
    await answer.discard();
    return answer.status;
  } finally {
    transport.close();
  }
}
