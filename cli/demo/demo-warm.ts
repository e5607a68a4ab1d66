/** The demo's last part: a Deployment that is going to be scaled out, and its image on every node before that. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { formatBytes } from '../../core/runtime/units.ts';
import { parseWarmerConfig } from '../../warmer/config.ts';
import { createWarmer } from '../../warmer/pipeline.ts';
import { totalsOf } from '../../warmer/report/run-result.ts';
import { silentView } from '../../warmer/report/run-view.ts';
import type { DemoNode } from './demo-node.ts';
import { pullThrough } from './demo-pull.ts';
import { DEMO_REPOSITORY, type DemoRegistry } from './demo-registry.ts';

const WARM_TAG = 'v2';
/** A scale-out every morning, and a morning that is twenty minutes away. */
const START = '0 8 * * *';
const NOW = Date.parse('2026-11-21T07:40:00Z');

export interface WarmRound {
  image: string;
  nodes: number;
  /** Brought to the nodes, all together. */
  bytesFetched: number;
  /** What left the registry for that. */
  upstreamBytes: number;
  seconds: number;
  /** Of the pulls afterwards. */
  pullSeconds: number;
  /** Requests for blobs that they made of the registry. */
  pullBlobRequests: number;
  isWarm: boolean;
}

export interface WarmStage {
  readonly registry: DemoRegistry;
  readonly nodes: readonly DemoNode[];
  readonly folder: string;
  readonly say: (line: string) => void;
}

export async function warmRound({ registry, nodes, folder, say }: WarmStage): Promise<WarmRound> {
  await registry.publish(WARM_TAG);
  const image = `${registry.host}/${DEMO_REPOSITORY}:${WARM_TAG}`;
  const warmer = await openDemoWarmer({ registry, nodes, folder }, image);
  const call = { nowMs: NOW, lookup: 'resolve', signal: AbortSignal.timeout(60_000) } as const;
  say(
    `5. A Deployment of ${DEMO_REPOSITORY}:${WARM_TAG}, which KEDA scales out at 08:00; by the warmer's clock it is 07:40`,
  );
  const { plan } = await warmer.plan(call);
  const [event] = plan.events;
  const startBy = event === undefined ? '' : `, begin by ${new Date(event.startByMs).toISOString().slice(11, 16)}`;
  say(`   plan: ${formatBytes(plan.totals.bytesToMove)} to ${nodes.length} nodes${startBy}`);
  const before = registry.bytesServed();
  const run = await warmer.run({ ...call, view: silentView });
  await warmer.stop();
  const totals = totalsOf(run);
  const upstreamBytes = registry.bytesServed() - before;
  const seconds = run.elapsedMs / 1000;
  say(
    `   warm on ${totals.verified} of ${totals.rows} nodes in ${seconds.toFixed(2)} s: ${formatBytes(totals.bytesFetched)}, ${formatBytes(upstreamBytes)} of it from the registry`,
  );
  const pulls = await pullRound(registry, nodes, image);
  say(
    `   the scale-out: three pulls in ${pulls.seconds.toFixed(2)} s, ${pulls.blobRequests} requests for blobs at the registry\n`,
  );
  return {
    image,
    nodes: totals.verified,
    bytesFetched: totals.bytesFetched,
    upstreamBytes,
    seconds,
    pullSeconds: pulls.seconds,
    pullBlobRequests: pulls.blobRequests,
    isWarm: totals.rows > 0 && totals.verified === totals.rows && pulls.blobRequests === 0,
  };
}

async function pullRound(registry: DemoRegistry, nodes: readonly DemoNode[], image: string) {
  const [requests, startedAt] = [registry.blobRequests(), performance.now()];
  await Promise.all(nodes.map(({ admin }) => pullThrough(admin, image)));
  return { seconds: (performance.now() - startedAt) / 1000, blobRequests: registry.blobRequests() - requests };
}

async function openDemoWarmer({ registry, nodes, folder }: Omit<WarmStage, 'say'>, image: string) {
  const manifests = join(folder, 'manifests');
  await mkdir(manifests);
  await writeFile(join(manifests, 'app.yaml'), manifest(image));
  await writeFile(join(folder, 'docker.json'), '{}');
  const text = `
    node = "${nodes[0]?.admin}"
    state_file = "${folder}/warmer.json"
    [[source]]
    kind = "files"
    path = "${manifests}"
    [upstream]
    docker_config = "${folder}/docker.json"
    [[upstream.registry]]
    host = "${registry.host}"
    endpoint = "http://${registry.host}"
  `;
  const configFile = 'demo';
  return createWarmer(parseWarmerConfig({ text, file: configFile, env: {} }), {
    env: {},
    clock: systemClock,
    log: silentLogger,
    stdin: noInput(),
    hostName: 'demo',
    configFile,
    random: Math.random,
  });
}

async function* noInput(): AsyncGenerator<Uint8Array> {}

function manifest(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: app }
spec:
  selector: { matchLabels: { app: app } }
  template:
    metadata: { labels: { app: app } }
    spec:
      containers: [{ name: app, image: "${image}" }]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: app }
spec:
  scaleTargetRef: { name: app }
  triggers:
    - type: cron
      metadata: { timezone: UTC, start: ${START}, end: 0 20 * * *, desiredReplicas: "30" }
`;
}
