import { describe, expect, it } from '@jest/globals';
import { parseProviderConfig } from './provider-config.ts';

const HEAD = 'kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1\n';
/** As the documentation of Kubernetes has it (tasks/administer-cluster/kubelet-credential-provider). */
const ECR = `${HEAD}providers:
  - name: ecr-credential-provider
    matchImages:
      - "*.dkr.ecr.*.amazonaws.com"
      - "public.ecr.aws"
    defaultCacheDuration: "12h"
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args: [get-credentials]
    env:
      - name: AWS_PROFILE
        value: example_profile
`;
const provider = (more: object = {}) => ({
  ...{
    name: 'a',
    apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
    matchImages: ['r.io'],
    defaultCacheDuration: '0',
  },
  ...more,
});
const configOf = (...providers: object[]) =>
  JSON.stringify({ kind: 'CredentialProviderConfig', apiVersion: 'kubelet.config.k8s.io/v1', providers });

describe('parseProviderConfig()', () => {
  it.each(['v1', 'v1beta1', 'v1alpha1'])('reads YAML of version %s', (version) => {
    const text = ECR.replaceAll('k8s.io/v1\n', `k8s.io/${version}\n`);
    expect(parseProviderConfig(text)).toEqual({
      problems: [],
      providers: [
        {
          name: 'ecr-credential-provider',
          apiVersion: `credentialprovider.kubelet.k8s.io/${version}`,
          matchImages: ['*.dkr.ecr.*.amazonaws.com', 'public.ecr.aws'],
          defaultCacheMs: 12 * 3_600_000,
          args: ['get-credentials'],
          env: [{ name: 'AWS_PROFILE', value: 'example_profile' }],
        },
      ],
    });
  });

  it('takes a plugin that can do without a service account', () => {
    const tokenAttributes = { serviceAccountTokenAudience: 'a', requireServiceAccount: false, cacheType: 'Token' };
    expect(parseProviderConfig(configOf(provider({ tokenAttributes }))).providers).toHaveLength(1);
  });

  it.each([
    ['no name', { name: '' }, 'name'],
    ['a path', { name: '../evil' }, 'name'],
    ['a parent', { name: '..' }, 'name'],
    ['another version', { apiVersion: 'credentialprovider.kubelet.k8s.io/v2' }, 'apiVersion'],
    ['no globs', { matchImages: [] }, 'matchImages'],
    ['a glob that is no text', { matchImages: [1] }, 'matchImages'],
    ['no cache duration', { defaultCacheDuration: undefined }, 'defaultCacheDuration'],
    ['a negative one', { defaultCacheDuration: '-1s' }, 'negative'],
    ['nonsense', { defaultCacheDuration: 'soon' }, 'soon'],
    ['arguments that are none', { args: 'get' }, 'args'],
    ['variables without a name', { env: [{ value: 'x' }] }, 'env'],
    [
      'a service account',
      { tokenAttributes: { serviceAccountTokenAudience: 'a', requireServiceAccount: true } },
      'service account',
    ],
  ])('leaves out a provider with %s, and tells', (_title, more, reason) => {
    const { providers, problems } = parseProviderConfig(configOf(provider({ name: 'good' }), provider(more)));
    expect(providers.map(({ name }) => name)).toEqual(['good']);
    expect(problems).toEqual([expect.stringContaining(reason)]);
    expect(problems[0]).toMatch(/^providers\[1\] is left out/);
  });

  it('leaves out the second of one name', () => {
    const { providers, problems } = parseProviderConfig(configOf(provider(), provider()));
    expect([providers.length, problems.length]).toEqual([1, 1]);
  });

  it.each([
    ['another kind', 'kind: Pod\napiVersion: v1\n'],
    ['another version', ECR.replace('kubelet.config.k8s.io/v1\n', 'kubelet.config.k8s.io/v9\n')],
    ['no providers', `${HEAD}providers: []\n`],
    ['broken YAML', `${HEAD}providers: [\n`],
    ['a key twice', `${HEAD}kind: Pod\n`],
    [
      'a bomb',
      `a: &a [x, x]\nb: &b [*a, *a]\n${'c: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n'}${HEAD}d: [${'*b, '.repeat(100)}]\n`,
    ],
    ['nothing', ''],
  ])('refuses %s', (_title, text) => {
    expect(() => parseProviderConfig(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
