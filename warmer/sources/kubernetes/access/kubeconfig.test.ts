import { describe, expect, it } from '@jest/globals';
import { chooseContext, readKubeconfig } from './kubeconfig.ts';

const ONE = `apiVersion: v1
kind: Config
current-context: a
contexts:
- name: a
  context: {cluster: one, user: me, namespace: shop}
- name: nobody
  context: {cluster: one}
- name: broken
  context:
    cluster: none
- name: stranger
  context:
    cluster: one
    user: other
clusters:
- name: one
  cluster: {server: "https://one:6443"}
users:
- name: me
  user: {token: t}
`;
const TWO = `current-context: b
contexts:
- name: a
  context: {cluster: two, user: me}
- name: b
  context: {cluster: two, user: me}
clusters:
- name: two
  cluster: {server: "https://two:6443"}
`;
const documents = [readKubeconfig(ONE, '/one'), readKubeconfig(TWO, '/two')];

describe('chooseContext()', () => {
  it('takes the current context, or the one that is named; who says it first is believed', () => {
    expect(chooseContext(documents, undefined)).toMatchObject({
      name: 'a',
      namespace: 'shop',
      cluster: { value: { server: 'https://one:6443' } },
      user: { value: { token: 't' } },
    });
    const second = chooseContext(documents, 'b');
    expect(second).toMatchObject({ namespace: 'default', cluster: { value: { server: 'https://two:6443' } } });
    // Users of one file, clusters of another.
    expect(second.user?.document.file).toBe('/one');
    expect(chooseContext(documents, 'nobody').user).toBeUndefined();
  });

  it.each([
    ['missing', /^\/one, \/two: there is no context "missing"$/],
    ['broken', /^\/one:11: cluster: there is no cluster "none"$/],
    ['stranger', /^\/one:15: user: there is no user "other"$/],
  ])('tells what is wrong with the context "%s", and where', (name, message) => {
    expect(() => chooseContext(documents, name)).toThrow(message);
  });

  it('needs a context', () => {
    expect(() => chooseContext([readKubeconfig('clusters: []', '/none')], undefined)).toThrow(/no current-context/);
  });
});

describe('readKubeconfig()', () => {
  it('tells where a file is broken', () => {
    expect(() => readKubeconfig('contexts:\n- name: [a\n', '/broken')).toThrow(/^\/broken:\d: /);
    expect(() => readKubeconfig('', '/empty')).toThrow(/^\/empty:1: The kubeconfig is empty/);
  });
});
