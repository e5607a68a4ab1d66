/** The cluster source, its watches and its lease against Kubernetes' own API server. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { parseReference } from '../../core/oci/reference.ts';
import { PullSecrets } from '../../warmer/images/pull-secrets.ts';
import { predictEvents } from '../../warmer/schedule/predict.ts';
import type { SourceDocument } from '../../warmer/sources/documents.ts';
import { findImages } from '../../warmer/sources/find-images.ts';
import { type Cluster, createCluster, type KubernetesOptions } from '../../warmer/sources/kubernetes/cluster.ts';
import type { Source } from '../../warmer/sources/source.ts';
import type { Unresolved } from '../../warmer/sources/unresolved.ts';
import { clusterNodeOf } from '../../warmer/survey/cluster-node.ts';
import { runShoal } from '../support/cli/run-shoal.ts';
import { eventually } from '../support/debian/eventually.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import {
  ADMIN_TOKEN,
  type ApiServer,
  apiServerUnavailable,
  LIMITED_TOKEN,
  startApiServer,
  WARMER_TOKEN,
} from '../support/kubernetes/api-server.ts';
import { clusterObjects, crd } from '../support/kubernetes/objects.ts';

const reason = apiServerUnavailable();
if (reason !== undefined) console.warn(`The cluster source is not shown on a real API server: ${reason}`);

const TEST_MS = 120_000;
const EVERYTHING: KubernetesOptions = { namespaces: [], selector: undefined, kinds: [] };
/** More than two pages. */
const PODS = 600;

interface Reading {
  readonly documents: readonly SourceDocument[];
  readonly unresolved: readonly Unresolved[];
}

async function readAll(source: Source): Promise<Reading> {
  const [documents, unresolved]: [SourceDocument[], Unresolved[]] = [[], []];
  for await (const item of source.read({ signal: AbortSignal.timeout(TEST_MS) })) {
    if (item.kind === 'document') documents.push(item.document);
    else if (item.kind === 'unresolved') unresolved.push(item.unresolved);
  }
  return { documents, unresolved };
}

const referencesIn = ({ documents }: Reading): string[] =>
  [
    ...new Set(
      documents.flatMap((document) =>
        findImages(document).workloads.flatMap(({ images }) => images.map(({ reference }) => reference)),
      ),
    ),
  ].sort();

const kindsIn = ({ documents }: Reading): string[] =>
  [...new Set(documents.map(({ value }) => (value as { kind: string }).kind))].sort();

(reason === undefined ? describe : describe.skip)('a cluster', () => {
  let directory = '';
  let server: ApiServer;
  const clusters: Cluster[] = [];

  async function clusterAs(token: string): Promise<Cluster> {
    const kubeconfig = join(directory, `${token}.yaml`);
    await writeFile(kubeconfig, kubeconfigText(server, token));
    const deps = { env: {}, homeDirectory: directory, clock: systemClock, random: Math.random, log: silentLogger };
    const cluster = createCluster(deps, { kubeconfig });
    clusters.push(cluster);
    return cluster;
  }

  beforeAll(async () => {
    directory = await makeTestDirectory('shoal-kube-');
    server = await startApiServer(join(directory, 'server'));
    const crds = [crd('keda.sh', 'v1alpha1', 'ScaledObject'), crd('example.com', 'v1', 'Engine')];
    for (const one of crds) await server.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', one);
    await eventually(
      () =>
        server.call('GET', '/apis/keda.sh/v1alpha1/scaledobjects').then(
          () => true,
          () => false,
        ),
      (isServed) => isServed,
    );
    for (const { path, object } of clusterObjects()) {
      // A definition is served a moment after it is there.
      await eventually(
        () => server.call('POST', path, object).then(() => '', String),
        (failure) => failure === '' || failure.includes('gave 409'),
      );
    }
    for (let from = 0; from < PODS; from += 20)
      await Promise.all(Array.from({ length: 20 }, (_, at) => addPod(from + at)));
  }, TEST_MS);

  afterAll(async () => {
    for (const cluster of clusters) cluster.close();
    await server?.stop();
    await removeTestDirectory(directory);
  });

  const addPod = (index: number) =>
    server.call('POST', '/api/v1/namespaces/crowd/pods', {
      metadata: { name: `pod-${index}` },
      spec: { containers: [{ name: 'main', image: `registry.example.com/crowd:${index}` }] },
    });

  it(
    'is read whole: workloads of every kind, in pages, with what scales them, nodes and pull secrets',
    async () => {
      const reading = await readAll(
        (await clusterAs(ADMIN_TOKEN)).source({ ...EVERYTHING, kinds: ['Engine.example.com'] }),
      );
      expect(reading.unresolved).toEqual([]);
      const references = referencesIn(reading);
      expect(references.filter((reference) => reference.includes('/crowd:'))).toHaveLength(PODS);
      expect(references).toEqual(expect.arrayContaining(WANTED));
      expect(references.some((reference) => reference.includes('secret') || reference.includes('old'))).toBe(false);
      expect(kindsIn(reading)).toEqual([
        'CronJob',
        'DaemonSet',
        'Deployment',
        'Engine',
        'Namespace',
        'Node',
        'Pod',
        'ScaledObject',
        'Secret',
        'ServiceAccount',
        'StatefulSet',
      ]);
      const web = reading.documents.find(({ file }) => file.endsWith('/deployments/web'));
      expect(web?.file).toMatch(/:\/apis\/apps\/v1\/namespaces\/shop\/deployments\/web$/);
      expect(JSON.stringify(web?.value)).not.toContain('managedFields');
      const nodes = reading.documents.flatMap((document) => clusterNodeOf(document) ?? []);
      expect(nodes).toEqual([
        {
          name: 'node-a',
          labels: { 'topology.kubernetes.io/zone': 'zone-1', 'kubernetes.io/hostname': 'node-a' },
          taints: expect.arrayContaining([{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }]),
          platform: { os: 'linux', architecture: 'arm64' },
        },
      ]);
    },
    TEST_MS,
  );

  it(
    'gives pull secrets that pods and their accounts name, and no other secret',
    async () => {
      const { documents } = await readAll((await clusterAs(ADMIN_TOKEN)).source(EVERYTHING));
      const secrets = new PullSecrets();
      for (const document of documents) expect(secrets.add(document)).toBeUndefined();
      const names = documents
        .filter(({ value }) => (value as { kind: string }).kind === 'Secret')
        .map(({ file }) => file);
      expect(names.map((file) => file.split('/').at(-1)).sort()).toEqual(['of-account', 'of-pod']);
      const identity = { namespace: 'shop', imagePullSecrets: ['of-pod'], serviceAccountName: 'web' };
      const credentials = secrets.credentialsFor([identity], parseReference('registry.example.com/web:1'));
      expect(credentials).toEqual([
        { kind: 'basic', username: 'pod', password: 'p1' },
        { kind: 'basic', username: 'account', password: 'p2' },
      ]);
    },
    TEST_MS,
  );

  it(
    'announces its scale-outs',
    async () => {
      const { documents } = await readAll((await clusterAs(ADMIN_TOKEN)).source(EVERYTHING));
      const workloads = documents.flatMap((document) => findImages(document).workloads);
      const nowMs = Date.UTC(2026, 0, 5, 7);
      const { events } = predictEvents({ documents, workloads }, { nowMs, horizonMs: 86_400_000 });
      const found = events.map(({ kind, name, at, images }) => [kind, name, new Date(at).toISOString(), images]);
      expect(found).toContainEqual(['ScaledObject', 'web', '2026-01-05T08:00:00.000Z', ['registry.example.com/web:1']]);
      expect(found).toContainEqual([
        'Deployment',
        'paused',
        '2026-01-05T07:00:00.000Z',
        ['registry.example.com/paused:2'],
      ]);
      expect(found.some(([kind, name]) => kind === 'CronJob' && name === 'nightly')).toBe(true);
    },
    TEST_MS,
  );

  it(
    'is read within namespaces and by a selector',
    async () => {
      const cluster = await clusterAs(ADMIN_TOKEN);
      const inShop = await readAll(cluster.source({ ...EVERYTHING, namespaces: ['shop'] }));
      expect(referencesIn(inShop).some((reference) => reference.includes('crowd'))).toBe(false);
      expect(referencesIn(inShop)).toContain('registry.example.com/web:1');
      const namespaces = inShop.documents.filter(
        ({ file }) => file.includes('/api/v1/namespaces/') && file.endsWith('/shop'),
      );
      expect(namespaces).toHaveLength(1);
      const selected = await readAll(cluster.source({ ...EVERYTHING, selector: 'tier=front' }));
      expect(referencesIn(selected)).toEqual(['registry.example.com/web:1']);
    },
    TEST_MS,
  );

  it(
    'tells what is not permitted, and gives the rest',
    async () => {
      await permit(server, 'limited', [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['list', 'watch'] }]);
      const cluster = await clusterAs(LIMITED_TOKEN);
      const source = cluster.source({ ...EVERYTHING, namespaces: ['shop'] });
      const reading = await eventually(
        () => readAll(source),
        ({ documents }) => documents.length > 0,
      );
      expect(kindsIn(reading)).toEqual(['Deployment']);
      expect(reading.unresolved.map(({ value, reason }) => [value, reason])).toEqual(
        expect.arrayContaining([
          ['pods', expect.stringMatching(/^Not permitted to list: .*403.*User "limited" cannot list resource "pods"/)],
          ['serviceaccounts of shop', expect.stringMatching(/^Not permitted to get: /)],
        ]),
      );
      const unknown = await readAll((await clusterAs('nobody')).source(EVERYTHING));
      expect(unknown.unresolved).toEqual([
        expect.objectContaining({ reason: expect.stringMatching(/refused with 401/) }),
      ]);
    },
    TEST_MS,
  );

  it(
    'is read, and its lease taken, with no more rights than the chart gives',
    async () => {
      const objects = await manifestsOfChart();
      await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'shoal' } });
      for (const object of objects) await server.call('POST', pathOf(object), object);
      const cluster = await clusterAs(WARMER_TOKEN);
      const reading = await eventually(
        () => readAll(cluster.source(EVERYTHING)),
        ({ documents }) => documents.length > PODS,
      );
      expect(referencesIn(reading)).toEqual(expect.arrayContaining(WANTED));
      // Whose secrets it may read is left to the operator.
      expect(reading.unresolved.map(({ value }) => value)).toEqual(['secrets of shop']);
      const watch = cluster.watch(EVERYTHING);
      await watch.start({ signal: new AbortController().signal });
      const watched = await readAll(watch);
      await watch.stop();
      expect(watched.unresolved.map(({ value }) => value)).toEqual(['secrets of shop']);
      expect(referencesIn(watched)).toEqual(referencesIn(reading));
      const call = { waitMs: 0, signal: AbortSignal.timeout(TEST_MS) };
      const attempt = await cluster.acquireLease({ name: 'shoal-warmer', namespace: 'shoal' }, call);
      expect(attempt.kind).toBe('held');
      if (attempt.kind === 'held') await attempt.lease.release();
      const again = await cluster.acquireLease({ name: 'shoal-warmer', namespace: 'shoal' }, call);
      expect(again.kind).toBe('held');
      if (again.kind === 'held') await again.lease.release();
    },
    TEST_MS,
  );

  it(
    'is what `shoal warm plan` plans for',
    async () => {
      await clusterAs(ADMIN_TOKEN);
      const config = join(directory, 'warmer.toml');
      const kubeconfig = join(directory, `${ADMIN_TOKEN}.yaml`);
      const text = `node = "127.0.0.1:1"\n[[source]]\nkind = "kubernetes"\nkubeconfig = "${kubeconfig}"\nnamespaces = ["shop"]\n`;
      await writeFile(config, text);
      const args = ['warm', 'plan', '--config', config, '--offline', '--json', '--now', '2026-01-05T07:00:00Z'];
      const ran = await runShoal(args, { HOME: directory });
      const plan = JSON.parse(ran.stdout) as PlanJson;
      const web = plan.images.find(({ ref }) => ref === 'registry.example.com/web:1');
      expect(web?.used_by).toContainEqual(
        expect.objectContaining({
          file: `${kubeconfig}:/apis/apps/v1/namespaces/shop/deployments/web`,
          path: 'spec.template.spec.containers[0].image',
          kind: 'Deployment',
          namespace: 'shop',
        }),
      );
      expect(plan.events).toContainEqual(
        expect.objectContaining({ kind: 'ScaledObject', at: '2026-01-05T08:00:00Z', replicas: 20 }),
      );
      expect(plan.nodes.map(({ name }) => name)).toEqual(['node-a']);
      // What the cluster's only node is tainted with.
      const reasons = plan.unresolved.filter(({ file }) => file.startsWith(kubeconfig)).map(({ reason }) => reason);
      expect(new Set(reasons)).toEqual(new Set(['No node can run it: taints keeps it off 1 node']));
    },
    TEST_MS,
  );

  it(
    'is read from inside, with a token that is renewed beside us',
    async () => {
      const account = join(directory, 'account');
      await mkdir(account);
      const rights = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
      await server.call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
        metadata: { name: 'inside' },
        roleRef: rights,
        subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }],
      });
      const { hostname, port } = new URL(server.url);
      const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
      await writeFile(join(account, 'ca.crt'), server.ca);
      await writeFile(join(account, 'namespace'), 'live');
      await writeFile(join(account, 'token'), 'no longer good');
      const deps = { homeDirectory: directory, clock: systemClock, random: Math.random, log: silentLogger };
      const cluster = createCluster({ ...deps, env, accountDirectory: account }, {});
      clusters.push(cluster);
      const source = cluster.source({ ...EVERYTHING, namespaces: ['shop'] });
      expect((await readAll(source)).unresolved).toEqual([
        expect.objectContaining({ reason: expect.stringMatching(/refused with 401/) }),
      ]);
      const asked = await server.call('POST', '/api/v1/namespaces/shop/serviceaccounts/web/token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 600 },
      });
      const { status } = asked as { status: { token: string } };
      await writeFile(join(account, 'token'), status.token);
      // The old one is remembered for a minute, but it is refused.
      const reading = await readAll(source);
      expect(reading.unresolved).toEqual([]);
      expect(referencesIn(reading)).toContain('registry.example.com/web:1');
      const call = { waitMs: 0, signal: AbortSignal.timeout(TEST_MS) };
      const attempt = await cluster.acquireLease({ name: 'inside' }, call);
      if (attempt.kind === 'held') await attempt.lease.release();
      const lease = await server.call('GET', '/apis/coordination.k8s.io/v1/namespaces/live/leases/inside');
      expect(lease).toMatchObject({ spec: { holderIdentity: '', leaseDurationSeconds: 1 } });
    },
    TEST_MS,
  );

  it(
    'is followed: what comes, changes and goes is seen',
    async () => {
      const watch = (await clusterAs(ADMIN_TOKEN)).watch({ ...EVERYTHING, namespaces: ['live'] });
      await watch.start({ signal: new AbortController().signal });
      const signal = AbortSignal.timeout(TEST_MS);
      const live = async () => referencesIn(await readAll(watch)).filter((reference) => reference.includes('/live'));
      try {
        expect(await live()).toEqual([]);
        const path = '/apis/apps/v1/namespaces/live/deployments';
        await server.call('POST', path, deployment('live', 'registry.example.com/live:1'));
        await watch.changed({ signal });
        expect(await eventually(live, (found) => found.length > 0)).toEqual(['registry.example.com/live:1']);
        const changed = watch.changed({ signal });
        await server.call('PUT', `${path}/live`, deployment('live', 'registry.example.com/live:2'));
        await changed;
        expect(await eventually(live, ([first]) => first?.endsWith(':2') === true)).toEqual([
          'registry.example.com/live:2',
        ]);
        await server.call('DELETE', `${path}/live`);
        expect(await eventually(live, (found) => found.length === 0)).toEqual([]);
      } finally {
        await watch.stop();
      }
    },
    TEST_MS,
  );

  it(
    'keeps two warmers apart by a lease',
    async () => {
      const [first, second] = [await clusterAs(ADMIN_TOKEN), await clusterAs(ADMIN_TOKEN)];
      const signal = AbortSignal.timeout(TEST_MS);
      const times = { durationMs: 4_000, renewDeadlineMs: 3_000, retryMs: 500 };
      const options = { name: 'shoal-warmer', namespace: 'live', ...times };
      const attempt = await first.acquireLease({ ...options, holder: 'first' }, { waitMs: 0, signal });
      if (attempt.kind !== 'held') throw new Error(`It is held by ${attempt.holder}`);
      expect(await second.acquireLease({ ...options, holder: 'second' }, { waitMs: 0, signal })).toEqual({
        kind: 'taken',
        holder: 'first',
      });
      // Longer than it lasts: it is renewed.
      const late = await second.acquireLease({ ...options, holder: 'second' }, { waitMs: 6_000, signal });
      expect(late.kind).toBe('taken');
      expect(attempt.lease.lost.aborted).toBe(false);
      const waiting = second.acquireLease({ ...options, holder: 'second' }, { waitMs: 10_000, signal });
      await sleep(500);
      await attempt.lease.release();
      const taken = await waiting;
      expect(taken.kind).toBe('held');
      const lease = await server.call('GET', '/apis/coordination.k8s.io/v1/namespaces/live/leases/shoal-warmer');
      expect(lease).toMatchObject({ spec: { holderIdentity: 'second', leaseTransitions: 1, leaseDurationSeconds: 4 } });
      // Somebody takes it by force.
      await server.call('PATCH', '/apis/coordination.k8s.io/v1/namespaces/live/leases/shoal-warmer', {
        spec: { holderIdentity: 'thief', leaseDurationSeconds: 60 },
      });
      if (taken.kind !== 'held') throw new Error('It was not taken');
      await eventually(
        async () => taken.lease.lost.aborted,
        (isLost) => isLost,
      );
      expect(String(taken.lease.lost.reason)).toMatch(/"thief" holds it/);
      await taken.lease.release();
    },
    TEST_MS,
  );
});

const WANTED = [
  'registry.example.com/agent:1',
  'registry.example.com/injected:1',
  'registry.example.com/nightly:1',
  'registry.example.com/paused:2',
  'registry.example.com/store:1',
  'registry.example.com/web:1',
];

function deployment(name: string, image: string): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image }] } };
  return { metadata: { name }, spec: { selector: { matchLabels: labels }, template } };
}

interface PlanJson {
  readonly images: readonly { readonly ref: string; readonly used_by: readonly object[] }[];
  readonly events: readonly object[];
  readonly nodes: readonly { readonly name: string }[];
  readonly unresolved: readonly { readonly file: string; readonly reason: string }[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Roles of the chart's plain manifests, bound to the user `warmer` in place of its service account. */
async function manifestsOfChart(): Promise<Manifest[]> {
  const file = join(import.meta.dirname, '../../packaging/kubernetes/manifests/warmer.yaml');
  const all = parseAllDocuments(await readFile(file, 'utf8')).map((document) => document.toJS() as Manifest | null);
  const subjects = [{ kind: 'User', name: 'warmer', apiGroup: 'rbac.authorization.k8s.io' }];
  return all
    .filter((object) => object !== null)
    .filter(({ kind }) => /^(?:Cluster)?Role(?:Binding)?$/.test(kind))
    .map((object) => (object.kind.endsWith('Binding') ? { ...object, subjects } : object));
}

function pathOf({ kind, metadata: { namespace } }: Manifest): string {
  const inside = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `/apis/rbac.authorization.k8s.io/v1${inside}/${kind.toLowerCase()}s`;
}

async function permit(server: ApiServer, user: string, rules: readonly object[]): Promise<void> {
  const group = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop';
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user };
  await server.call('POST', `${group}/roles`, { metadata: { name: user }, rules });
  await server.call('POST', `${group}/rolebindings`, {
    metadata: { name: user },
    roleRef,
    subjects: [{ kind: 'User', name: user }],
  });
}

function kubeconfigText({ url, ca }: ApiServer, token: string): string {
  const cluster = { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'shop' } }],
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user: { token } }],
  });
}
