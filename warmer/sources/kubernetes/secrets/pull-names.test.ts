import { describe, expect, it } from '@jest/globals';
import { PullNames } from './pull-names.ts';

function namesOf(...objects: readonly object[]) {
  const names = new PullNames();
  for (const object of objects) names.takeObject(object);
  const list = (found: Iterable<{ namespace: string; name: string }>) =>
    [...found].map(({ namespace, name }) => `${namespace}/${name}`).sort();
  return { accounts: list(names.accounts), secrets: list(names.secrets) };
}

describe('PullNames', () => {
  it('takeObject() finds accounts and secrets wherever pods are described', () => {
    const spec = { containers: [], imagePullSecrets: [{ name: 'a' }, {}], serviceAccountName: 'web' };
    const metadata = { namespace: 'shop' };
    expect(
      namesOf(
        { metadata, spec: { jobTemplate: { spec: { template: { spec } } } } },
        { metadata, template: { spec: { containers: [] } } },
        { metadata, spec: { pullSecrets: ['b'] } },
        { metadata: { namespace: 'other' }, spec: { taskSpec: { steps: [] }, serviceAccount: 'old' } },
        { metadata: { name: 'cluster-wide' }, spec },
      ),
    ).toEqual({ accounts: ['other/old', 'shop/default', 'shop/web'], secrets: ['shop/a', 'shop/b'] });
  });

  it('takeObject() is not led astray by depth', () => {
    let spec: object = { containers: [] };
    for (let depth = 0; depth < 10_000; depth += 1) spec = { deeper: spec };
    expect(namesOf({ metadata: { namespace: 'x' }, spec })).toEqual({ accounts: [], secrets: [] });
  });
});
