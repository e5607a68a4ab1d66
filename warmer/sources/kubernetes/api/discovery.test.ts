import { describe, expect, it } from '@jest/globals';
import { resource, setUpClient } from '../../../../test/support/kubernetes/client-setup.ts';
import { discover } from './discovery.ts';
import { listingsOf, resourceName } from './resource.ts';

const { signal } = new AbortController();
const KINDS = [
  resource('', 'v1', 'Pod'),
  resource('', 'v1', 'Secret'),
  resource('apps', 'v1', 'Deployment'),
  resource('extensions', 'v1beta1', 'Deployment'),
  resource('keda.sh', 'v1', 'Other'),
  resource('keda.sh', 'v1alpha1', 'ScaledObject'),
  resource('example.com', 'v1', 'Engine', false),
  resource('broken.example.com', 'v1', 'Thing'),
];
const WANTED = [
  { group: '', kind: 'Pod' },
  { group: 'apps', kind: 'Deployment' },
  { group: 'extensions', kind: 'Deployment' },
  { group: 'keda.sh', kind: 'ScaledObject' },
  { group: 'keda.sh', kind: 'ScaledJob' },
  { group: 'argoproj.io', kind: 'Rollout' },
];
const named = (found: { resources: readonly Parameters<typeof resourceName>[0][] }) =>
  found.resources.map((one) => `${resourceName(one)}/${one.version}`);

describe('discover()', () => {
  it('finds the wanted kinds that are served, each once, also in a version that is not preferred', async () => {
    await using setup = await setUpClient(KINDS);
    const found = await discover(setup.client, WANTED, { signal });
    expect(named(found)).toEqual(['pods/v1', 'deployments.apps/v1', 'scaledobjects.keda.sh/v1alpha1']);
    expect(found.unresolved).toEqual([]);
    // Groups that nobody wants are not even asked for.
    expect(setup.server.requests.some(({ path }) => path.includes('example.com'))).toBe(false);
  });

  it('looks into every group for a kind of no particular one, and tells of those that do not answer', async () => {
    await using setup = await setUpClient(KINDS);
    setup.server.fault(({ path }) => path.startsWith('/apis/broken'), { kind: 'status', status: 503 }, 100);
    const found = await discover(setup.client, [{ group: undefined, kind: 'Engine' }], { signal });
    expect(named(found)).toEqual(['engines.example.com/v1']);
    expect(found.unresolved).toEqual([
      expect.objectContaining({ file: 'test:/apis/broken.example.com/v1', reason: expect.stringMatching(/503/) }),
    ]);
  });

  it('passes over a version that goes while it is looked at', async () => {
    await using setup = await setUpClient(KINDS);
    setup.server.fault(({ path }) => path === '/apis/keda.sh/v1', { kind: 'status', status: 404 });
    const found = await discover(setup.client, [{ group: 'keda.sh', kind: 'ScaledObject' }], { signal });
    expect(named(found)).toEqual(['scaledobjects.keda.sh/v1alpha1']);
    expect(found.unresolved).toEqual([]);
  });
});

describe('listingsOf()', () => {
  const paths = (one: Parameters<typeof listingsOf>[0], namespaces: readonly string[]) =>
    listingsOf(one, { namespaces, selector: 'a=b' }).map(({ path, query }) => [path, query]);

  it('lists a kind in all namespaces or in each of some, with the selector', () => {
    expect(paths(resource('apps', 'v1', 'Deployment'), [])).toEqual([
      ['/apis/apps/v1/deployments', { labelSelector: 'a=b' }],
    ]);
    expect(paths(resource('', 'v1', 'Pod'), ['x', 'y'])).toEqual([
      ['/api/v1/namespaces/x/pods', { labelSelector: 'a=b' }],
      ['/api/v1/namespaces/y/pods', { labelSelector: 'a=b' }],
    ]);
  });

  it('lists what lies in no namespace whole, but namespaces by their names', () => {
    expect(paths(resource('', 'v1', 'Node', false), ['x'])).toEqual([['/api/v1/nodes', {}]]);
    expect(paths(resource('', 'v1', 'Namespace', false), ['x'])).toEqual([
      ['/api/v1/namespaces', { fieldSelector: 'metadata.name=x' }],
    ]);
  });
});
