/** A large fleet made by chance from a seed: manifests, what the registry says of their images, nodes and what they hold. */
import { type Digest, digestOf } from '../../../core/oci/digest.ts';
import type { PlanBlob, PlanImage, PlanNode } from '../../../warmer/plan/plan-input.ts';
import { seededRandom } from '../../simulation/mesh/seeded-random.ts';

const MIB = 2 ** 20;
const IMAGES = 3000;
const BASE_LAYERS = 60;
const ZONES = 6;
const POOLS = ['general', 'memory', 'gpu', 'batch'];
const TIMEZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'UTC'];

type Chance = () => number;

/** Four objects each: a Deployment, its Service, what scales it, a CronJob. */
export function* manifests(seed: number, count: number): Generator<string> {
  const chance = seededRandom(seed);
  for (let index = 0; index < count; index += 1) yield manifest(chance, index);
}

function manifest(chance: Chance, index: number): string {
  const name = `app-${index}`;
  const namespace = `team-${index % 200}`;
  const hour = below(chance, 24);
  return [
    `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  replicas: ${1 + below(chance, 20)}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      nodeSelector: { pool: ${pick(chance, POOLS)} }
      tolerations: [{ key: pool, operator: Exists }]
      initContainers:
        - { name: init, image: "${imageName(below(chance, IMAGES))}" }
      containers:
        - name: main
          image: ${imageName(below(chance, IMAGES))}
          env: [{ name: MODE, value: production }, { name: INDEX, value: "${index}" }]
        - { name: proxy, image: "${imageName(index % 7)}" }`,
    `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec: { selector: { app: ${name} }, ports: [{ port: 80, targetPort: 8080 }] }`,
    `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  scaleTargetRef: { name: ${name} }
  triggers:
    - type: cron
      metadata:
        timezone: ${pick(chance, TIMEZONES)}
        start: ${below(chance, 60)} ${hour} * * *
        end: 0 ${(hour + 8) % 24} * * *
        desiredReplicas: "${10 + below(chance, 50)}"`,
    `apiVersion: batch/v1
kind: CronJob
metadata: { name: ${name}-report, namespace: ${namespace} }
spec:
  schedule: "${below(chance, 60)} */${1 + below(chance, 12)} * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{ name: report, image: "${imageName(below(chance, IMAGES))}" }]`,
  ].join('\n---\n');
}

/** As a registry would tell them: an index of two platforms, shared base layers, own layers on top. */
export function images(seed: number, references: Iterable<string>): PlanImage[] {
  const chance = seededRandom(seed + 1);
  const bases = Array.from({ length: BASE_LAYERS }, (_, index) => blob(`base ${index}`, (5 + below(chance, 60)) * MIB));
  return [...references].map((reference) => {
    const variant = (architecture: string) => ({
      platform: { os: 'linux', architecture },
      manifest: blob(`${reference} ${architecture} manifest`, 2000),
      config: blob(`${reference} ${architecture} config`, 6000),
      layers: [pick(chance, bases), pick(chance, bases), ...ownLayers(chance, `${reference} ${architecture}`)],
    });
    const digest = digestOf(`${reference} index`);
    return {
      reference,
      digest,
      indexes: [{ digest, size: 1500 }],
      variants: [variant('amd64'), variant('arm64')],
    };
  });
}

/** Some hold nothing, some a share of everything that there is. */
export function nodes(seed: number, known: { count: number; images: readonly PlanImage[] }): PlanNode[] {
  const chance = seededRandom(seed + 2);
  const blobs = [...new Set(known.images.flatMap(({ variants }) => variants.flatMap(({ layers }) => layers)))];
  return Array.from({ length: known.count }, (_, index): PlanNode => {
    const pool = POOLS[index % POOLS.length] ?? 'general';
    const holds = new Set<Digest>(Array.from({ length: below(chance, 300) }, () => pick(chance, blobs).digest));
    return {
      name: `node-${index}`,
      zone: `zone-${index % ZONES}`,
      labels: { pool, 'kubernetes.io/hostname': `node-${index}` },
      taints: pool === 'general' ? [] : [{ key: 'pool', value: pool, effect: 'NoSchedule' }],
      platform: { os: 'linux', architecture: index % 5 === 0 ? 'arm64' : 'amd64' },
      freeBytes: index % 10 === 0 ? 40_000 * MIB : 2_000_000 * MIB,
      holds,
    };
  });
}

function ownLayers(chance: Chance, name: string): PlanBlob[] {
  const count = 2 + below(chance, 4);
  return Array.from({ length: count }, (_, index) => blob(`${name} ${index}`, 1 + below(chance, 80 * MIB)));
}

function imageName(number: number): string {
  return `registry.example/team-${number % 50}/app-${number}:1.${number % 9}`;
}

function blob(name: string, size: number): PlanBlob {
  return { digest: digestOf(name), size };
}

function below(chance: Chance, end: number): number {
  return Math.floor(chance() * end);
}

function pick<T>(chance: Chance, from: readonly T[]): T {
  const picked = from[below(chance, from.length)];
  if (picked === undefined) throw new Error('Nothing to pick from');
  return picked;
}
