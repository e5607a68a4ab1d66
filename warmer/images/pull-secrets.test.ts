import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parseReference } from '../../core/oci/reference.ts';
import { textDocuments } from '../sources/text-documents.ts';
import { PullSecrets } from './pull-secrets.ts';

function secretsOf(text: string): { secrets: PullSecrets; problems: unknown[] } {
  const secrets = new PullSecrets();
  const problems: unknown[] = [];
  for (const item of textDocuments(text, 's.yaml')) {
    if (item.kind === 'document') problems.push(secrets.add(item.document));
  }
  return { secrets, problems: problems.filter((one) => one !== undefined) };
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

function secret(name: string, config: unknown, namespace = 'shop'): string {
  return `---\napiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: ${namespace}}\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: ${base64(config)}\n`;
}

const auth = (user: string) => ({ auth: Buffer.from(`${user}:s3cret`).toString('base64') });
const identity = { namespace: 'shop', imagePullSecrets: ['a', 'missing', 'b'], serviceAccountName: 'runner' };

describe('PullSecrets', () => {
  const text = [
    secret('a', { auths: { 'r.example': auth('a'), 'r.example/team': auth('team') } }),
    secret('b', { auths: { 'r.example': auth('b'), 'other.example': auth('x') } }),
    secret('c', { auths: { 'r.example': auth('c') } }),
    secret('a', { auths: { 'r.example': auth('elsewhere') } }, 'other'),
    '---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner, namespace: shop}\nimagePullSecrets: [{name: c}]\n',
  ].join('');

  it("gives the pod's own first, longer keys before shorter, then its service account's", () => {
    const found = secretsOf(text).secrets.credentialsFor([identity], parseReference('r.example/team/app'));
    expect(found.map((one) => one.kind === 'basic' && one.username)).toEqual(['team', 'a', 'b', 'c']);
  });

  it('gives none for another registry or another namespace', () => {
    const { secrets } = secretsOf(text);
    expect(secrets.credentialsFor([identity], parseReference('else.example/app'))).toEqual([]);
    const stranger = { ...identity, namespace: 'third', serviceAccountName: 'default' };
    expect(secrets.credentialsFor([stranger], parseReference('r.example/app'))).toEqual([]);
  });

  it('reads the old form, and nothing of credential helpers', () => {
    const old = `apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop}\ntype: kubernetes.io/dockercfg\nstringData:\n  .dockercfg: '${JSON.stringify({ 'r.example': auth('old') })}'\n`;
    const helper = secret('b', { credsStore: 'evil', credHelpers: { 'r.example': 'evil' } });
    const found = secretsOf(`${old}${helper}`).secrets.credentialsFor([identity], parseReference('r.example/app'));
    expect(found).toEqual([{ kind: 'basic', username: 'old', password: 's3cret' }]);
  });

  it('tells of one that cannot be read, without its content, and shows none', () => {
    const { secrets, problems } = secretsOf(
      `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: ${Buffer.from('{"s3cret"').toString('base64')}\n${text}`,
    );
    expect(problems).toEqual([
      expect.objectContaining({ file: 's.yaml', line: 6, reason: expect.stringMatching(/not read/) }),
    ]);
    expect(JSON.stringify([problems, secrets])).not.toContain('s3cret');
    expect(inspect(secrets, { depth: 9 })).not.toContain('s3cret');
  });
});
