import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../../test/support/debian/eventually.ts';
import {
  type ClientSetup,
  DEPLOYMENTS,
  PODS,
  resource,
  setUpClient,
} from '../../../test/support/kubernetes/client-setup.ts';
import { listOf, type SeenRequest } from '../../../test/support/kubernetes/stand-in.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { findImages } from '../find-images.ts';
import type { Source } from '../source.ts';
import { createKubernetesSource, type KubernetesOptions } from './kubernetes-source.ts';
import { createWatchedSource } from './watch/watched-source.ts';

const SECRETS = resource('', 'v1', 'Secret');
const ACCOUNTS = { ...resource('', 'v1', 'ServiceAccount'), plural: 'serviceaccounts' };
const ENGINES = resource('example.com', 'v1', 'Engine');
const KINDS = [PODS, DEPLOYMENTS, SECRETS, ACCOUNTS, ENGINES, resource('', 'v1', 'ConfigMap')];
const ALL: KubernetesOptions = { namespaces: [], selector: undefined, kinds: [] };
const { signal } = new AbortController();

const deployment = (name: string, image: string, more: object = {}) => ({
  metadata: { name, namespace: 'shop' },
  spec: { template: { spec: { containers: [{ name: 'main', image }], ...more } } },
});
const podOf = (owner: string, name: string, image: string) => ({
  metadata: {
    name,
    namespace: 'shop',
    ownerReferences: [{ kind: 'ReplicaSet', apiVersion: 'apps/v1', uid: owner, controller: true }],
  },
  spec: { nodeName: 'n', containers: [{ name: 'main', image }] },
});

async function read(source: Source): Promise<string[]> {
  const found: string[] = [];
  for await (const item of source.read({ signal })) {
    if (item.kind === 'unresolved')
      found.push(`! ${item.unresolved.file} ${item.unresolved.value}: ${item.unresolved.reason}`);
    if (item.kind === 'document') {
      const { document } = item;
      const images = findImages(document).workloads.flatMap((workload) => workload.images.map(({ image }) => image));
      found.push([document.file, ...images].join(' '));
    }
  }
  return found;
}

function fill({ server }: ClientSetup): void {
  const { store } = server;
  store.set(
    listOf(DEPLOYMENTS),
    deployment('web', 'web:1', { imagePullSecrets: [{ name: 'pull' }, { name: 'none' }] }),
  );
  for (let index = 0; index < 5; index += 1) store.set(listOf(PODS), podOf('rs', `web-${index}`, 'web:1'));
  store.set(listOf(PODS), podOf('rs', 'web-9', 'web:2'));
  const name = (one: string) => ({ metadata: { name: one, namespace: 'shop' } });
  store.set(listOf(SECRETS), {
    ...name('pull'),
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': 'e30=' },
  });
  store.set(listOf(SECRETS), { ...name('other'), type: 'Opaque', data: { password: 'cGFzcw==' } });
  store.set(listOf(ACCOUNTS), { ...name('default'), imagePullSecrets: [{ name: 'other' }] });
}

const EXPECTED = [
  'test:/api/v1/namespaces/shop/pods/web-0 web:1',
  'test:/api/v1/namespaces/shop/pods/web-9 web:2',
  'test:/apis/apps/v1/namespaces/shop/deployments/web web:1',
  'test:/api/v1/namespaces/shop/serviceaccounts/default',
  'test:/api/v1/namespaces/shop/secrets/pull',
];

describe('createKubernetesSource()', () => {
  it('gives each object once, one pod for many that are alike, and the pull secrets that they name', async () => {
    await using setup = await setUpClient(KINDS);
    fill(setup);
    expect(await read(createKubernetesSource(setup.client, ALL))).toEqual(EXPECTED);
    const asked = setup.server.requests.map(({ path }) => path);
    expect(asked).not.toContain(listOf(SECRETS));
    expect(asked.some((path) => path.includes('configmaps'))).toBe(false);
  });

  it('gives each object once when a list has to begin anew', async () => {
    await using setup = await setUpClient([DEPLOYMENTS]);
    for (let index = 0; index < 600; index += 1)
      setup.server.store.set(listOf(DEPLOYMENTS), deployment(`d-${index}`, `i:${index}`));
    setup.server.fault(({ query }) => query.get('continue')?.startsWith('500@') === true, {
      kind: 'status',
      status: 410,
    });
    const files = (await read(createKubernetesSource(setup.client, ALL))).filter((line) =>
      line.includes('/deployments/'),
    );
    expect(files).toHaveLength(600);
    expect(new Set(files).size).toBe(600);
  });

  it('tells what it may not list, what breaks, and goes on with the rest', async () => {
    await using setup = await setUpClient(KINDS);
    fill(setup);
    setup.server.fault(({ path }) => path === listOf(PODS), { kind: 'status', status: 403 }, 100);
    setup.server.fault(({ path }) => path.includes('/serviceaccounts/'), { kind: 'text', text: '<html>' }, 100);
    setup.server.fault(({ path }) => path.includes('/secrets/'), { kind: 'status', status: 403 }, 100);
    expect(
      await read(createKubernetesSource(setup.client, { ...ALL, kinds: ['Secret', 'Engine.example.com'] })),
    ).toEqual([
      '! test Secret: Objects of this kind are not read from a cluster',
      expect.stringMatching(/^! test:\/api\/v1\/pods pods: Not permitted to list: .*403/),
      'test:/apis/apps/v1/namespaces/shop/deployments/web web:1',
      expect.stringMatching(/^! test:.*\/default serviceaccounts of shop: Not got: .*not answered with JSON/),
      // One line for a namespace.
      expect.stringMatching(/^! test:.*\/pull secrets of shop: Not permitted to get: /),
    ]);
    expect(setup.server.requests.some(({ path }) => path === listOf(ENGINES))).toBe(true);
  });

  it('tells of a cluster that does not let it in, and ends when it is aborted', async () => {
    await using setup = await setUpClient(KINDS);
    setup.server.tokens.add('nobody');
    expect(await read(createKubernetesSource(setup.client, ALL))).toEqual([
      expect.stringMatching(/^! test test: The cluster is not read: GET of "\/apis" is refused with 401/),
    ]);
    const ended = createKubernetesSource(setup.client, ALL).read({ signal: AbortSignal.abort(new Error('enough')) });
    await expect(ended[Symbol.asyncIterator]().next()).rejects.toThrow('enough');
  });
});

describe('createWatchedSource()', () => {
  const watch = (setup: ClientSetup) => {
    const deps = { client: setup.client, clock: setup.clock, random: () => 0.5, log: silentLogger };
    return createWatchedSource(deps, ALL);
  };

  it('gives what the other source gives, again and again without asking for lists, and tells of changes', async () => {
    await using setup = await setUpClient(KINDS);
    fill(setup);
    const source = watch(setup);
    await source.start({ signal });
    expect(await read(source)).toEqual(EXPECTED);
    const lists = () => setup.server.requests.filter((one) => one.query.has('limit')).length;
    const before = lists();
    await eventually(
      async () => setup.server.requests.filter(isWatch).length,
      (count) => count >= 2,
    );
    const changed = source.changed({ signal });
    setup.server.store.set(listOf(DEPLOYMENTS), deployment('web', 'web:3'));
    await changed;
    expect(await read(source)).toContain('test:/apis/apps/v1/namespaces/shop/deployments/web web:3');
    // A pod that ends goes; what is kept of it has no status to tell.
    setup.server.store.set(listOf(PODS), { ...podOf('rs', 'web-9', 'web:2'), status: { phase: 'Failed' } });
    await eventually(
      () => read(source),
      (found) => !found.some((line) => line.endsWith(' web:2')),
    );
    expect(lists()).toBe(before);
    await source.stop();
    await source.stop();
  });

  it('gives what it had, and says so, while the cluster refuses', async () => {
    await using setup = await setUpClient(KINDS);
    fill(setup);
    const source = watch(setup);
    setup.server.fault(isWatch, { kind: 'status', status: 403 }, 100);
    await source.start({ signal });
    const found = await eventually(
      () => read(source),
      (lines) => lines.filter((line) => line.includes('Not permitted to list')).length >= 2,
    );
    expect(found).toEqual(expect.arrayContaining(EXPECTED));
    await source.stop();
  });

  it('tells of a cluster that is not there, and ends although it is waited for', async () => {
    await using setup = await setUpClient(KINDS);
    setup.server.fault(() => true, { kind: 'status', status: 403 }, 1_000);
    const source = watch(setup);
    await source.start({ signal });
    expect(await read(source)).toEqual([expect.stringMatching(/The cluster is not read: /)]);
    const waiting = source.changed({ signal: AbortSignal.timeout(50) });
    await expect(waiting).rejects.toThrow();
    await source.stop();
  });
});

const isWatch = ({ query }: SeenRequest) => query.get('watch') === 'true';
