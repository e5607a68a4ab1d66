/** Objects that a small cluster may hold, with the paths to make them at. Data. */

export interface NewObject {
  /** Where it is POSTed to. */
  readonly path: string;
  readonly object: object;
}

/** A definition of a kind that takes whatever it is given. */
export function crd(group: string, version: string, kind: string): object {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, plural },
      scope: 'Namespaced',
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  };
}

/** Namespaces, workloads of several kinds, what scales them, a node, and secrets of which two are for pulling. */
export function clusterObjects(): NewObject[] {
  const namespaces = ['shop', 'crowd', 'live'].map((name) => ({
    path: '/api/v1/namespaces',
    object: { metadata: { name } },
  }));
  return [...namespaces, ...NODES, ...SECRETS, ...WORKLOADS, ...PODS];
}

const CORE = '/api/v1/namespaces/shop';
const APPS = '/apis/apps/v1/namespaces/shop';

function templateOf(name: string, tag: string, more: object = {}) {
  const containers = [{ name: 'main', image: `registry.example.com/${name}:${tag}` }];
  return { metadata: { labels: { app: name } }, spec: { containers, ...more } };
}

function workload(
  name: string,
  tag: string,
  { spec, pod, labels }: { spec?: object; pod?: object; labels?: object } = {},
) {
  const selector = { matchLabels: { app: name } };
  return { metadata: { name, labels }, spec: { selector, template: templateOf(name, tag, pod), ...spec } };
}

function configOf(username: string, password: string): string {
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  return JSON.stringify({ auths: { 'registry.example.com': { auth } } });
}

function pullSecret(name: string, username: string, password: string): NewObject {
  const stringData = { '.dockerconfigjson': configOf(username, password) };
  return {
    path: `${CORE}/secrets`,
    object: { metadata: { name }, type: 'kubernetes.io/dockerconfigjson', stringData },
  };
}

const NODES: readonly NewObject[] = [
  {
    path: '/api/v1/nodes',
    object: {
      metadata: {
        name: 'node-a',
        labels: { 'topology.kubernetes.io/zone': 'zone-1', 'kubernetes.io/hostname': 'node-a' },
      },
      spec: { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] },
      status: { nodeInfo: { operatingSystem: 'linux', architecture: 'arm64' }, images: [{ names: ['old:1'] }] },
    },
  },
];

const SECRETS: readonly NewObject[] = [
  pullSecret('of-pod', 'pod', 'p1'),
  pullSecret('of-account', 'account', 'p2'),
  pullSecret('of-nobody', 'nobody', 'p3'),
  {
    path: `${CORE}/secrets`,
    object: { metadata: { name: 'opaque' }, stringData: { image: 'registry.example.com/secret:1' } },
  },
  {
    path: `${CORE}/serviceaccounts`,
    object: { metadata: { name: 'web' }, imagePullSecrets: [{ name: 'of-account' }, { name: 'gone' }] },
  },
  {
    path: `${CORE}/configmaps`,
    object: { metadata: { name: 'settings' }, data: { image: 'registry.example.com/secret:2' } },
  },
];

const WORKLOADS: readonly NewObject[] = [
  {
    path: `${APPS}/deployments`,
    object: workload('web', '1', {
      labels: { tier: 'front' },
      pod: { serviceAccountName: 'web', imagePullSecrets: [{ name: 'of-pod' }, { name: 'opaque' }] },
    }),
  },
  { path: `${APPS}/deployments`, object: workload('paused', '2', { spec: { paused: true, replicas: 4 } }) },
  { path: `${APPS}/statefulsets`, object: workload('store', '1', { spec: { serviceName: 'store' } }) },
  { path: `${APPS}/daemonsets`, object: workload('agent', '1') },
  {
    path: '/apis/batch/v1/namespaces/shop/cronjobs',
    object: {
      metadata: { name: 'nightly' },
      spec: {
        schedule: '0 3 * * *',
        jobTemplate: { spec: { template: templateOf('nightly', '1', { restartPolicy: 'Never' }) } },
      },
    },
  },
  {
    path: '/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects',
    object: {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name: 'web' },
      spec: {
        scaleTargetRef: { name: 'web' },
        triggers: [
          { type: 'cron', metadata: { timezone: 'UTC', start: '0 8 * * *', end: '0 18 * * *', desiredReplicas: '20' } },
        ],
      },
    },
  },
  {
    path: '/apis/example.com/v1/namespaces/shop/engines',
    object: { apiVersion: 'example.com/v1', kind: 'Engine', metadata: { name: 'engine' }, spec: { picture: 'x' } },
  },
];

function owned(kind: string, apiVersion: string, name: string): object {
  return { ownerReferences: [{ apiVersion, kind, name, uid: `uid-${name}`, controller: true }] };
}

const PODS: readonly NewObject[] = [
  // What the template does not have: a mesh put it there.
  ...['web-1', 'web-2'].map((name) => ({
    path: `${CORE}/pods`,
    object: {
      metadata: { name, ...owned('ReplicaSet', 'apps/v1', 'web') },
      spec: {
        nodeName: 'node-a',
        containers: [
          { name: 'main', image: 'registry.example.com/web:1' },
          { name: 'mesh', image: 'registry.example.com/injected:1' },
        ],
      },
    },
  })),
  {
    path: `${APPS}/replicasets`,
    object: {
      metadata: { name: 'web-before', ...owned('Deployment', 'apps/v1', 'web') },
      spec: { replicas: 0, selector: { matchLabels: { app: 'web' } }, template: templateOf('web', 'old') },
    },
  },
];
