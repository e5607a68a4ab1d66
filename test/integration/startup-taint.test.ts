/**
 * The chart's startup taint on Kubernetes' own API server: the script takes it from a warm node by the rights that the chart gives, and
 * the chart's policy lets those rights do nothing else. Skipped with one line where the server is not compiled.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { eventually } from '../support/debian/eventually.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import {
  type ApiServer,
  WARMER_TOKEN,
  apiServerUnavailable,
  startApiServer,
} from '../support/kubernetes/api-server.ts';

const TEST_MS = 120_000;
const KUBERNETES = resolve(import.meta.dirname, '../../packaging/kubernetes');
const ACCOUNT = 'system:serviceaccount:shoal:shoal-untaint';
const COLD = { key: 'shoal.dev/cold', effect: 'NoSchedule' };
const GPU = { key: 'nvidia.com/gpu', effect: 'NoSchedule', value: 'yes' };
const PATHS: Readonly<Record<string, string>> = {
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  ValidatingAdmissionPolicy: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
};

const reason = apiServerUnavailable();
if (reason !== undefined) process.stderr.write(`The startup taint is not tried: ${reason}\n`);

(reason === undefined ? describe : describe.skip)('The startup taint', () => {
  let directory = '';
  let server: ApiServer;
  const taintsOf = async (name: string) => {
    const node = await server.call('GET', `/api/v1/nodes/${name}`);
    return (node as { spec: { taints?: { key: string }[] } }).spec.taints?.map(({ key }) => key) ?? [];
  };
  /** As the chart's account, which on this server is the user `warmer`. */
  const patchAs = (name: string, patch: object[]): Promise<{ status: number | undefined; body: string }> =>
    new Promise((done, fail) => {
      const call = request(
        `${server.url}/api/v1/nodes/${name}`,
        {
          method: 'PATCH',
          ca: server.ca,
          headers: { authorization: `Bearer ${WARMER_TOKEN}`, 'content-type': 'application/json-patch+json' },
        },
        (response) => void text(response).then((body) => done({ status: response.statusCode, body }), fail),
      );
      call.once('error', fail).end(JSON.stringify(patch));
    });

  beforeAll(async () => {
    directory = await makeTestDirectory('shoal-taint-');
    server = await startApiServer(join(directory, 'server'));
    const manifests = await readFile(join(KUBERNETES, 'manifests/startup-taint.yaml'), 'utf8');
    for (const document of parseAllDocuments(manifests.replaceAll(ACCOUNT, 'warmer'))) {
      const object: { kind: string; subjects?: object[] } = document.toJS() ?? { kind: '' };
      const path = PATHS[object.kind];
      if (path === undefined) continue;
      const subjects = [{ kind: 'User', name: 'warmer', apiGroup: 'rbac.authorization.k8s.io' }];
      await server.call('POST', path, object.subjects === undefined ? object : { ...object, subjects });
    }
    for (const [name, taints] of Object.entries({
      warm: [GPU, COLD],
      cold: [COLD],
      new: [COLD],
      policed: [GPU, COLD],
    })) {
      await server.call('POST', '/api/v1/nodes', { metadata: { name, labels: { a: 'b' } }, spec: { taints } });
      // A new node is not ready; the node controller, which is not here, would see that it is.
      await eventually(
        () => taintsOf(name),
        (keys) => keys.includes('node.kubernetes.io/not-ready'),
      );
      if (name !== 'new') await server.call('PATCH', `/api/v1/nodes/${name}`, { spec: { taints } });
    }
  }, TEST_MS);

  afterAll(async () => {
    await server?.stop();
    await removeTestDirectory(directory);
  }, TEST_MS);

  it(
    'goes from the node that is warm, and from no other',
    async () => {
      const account = join(directory, 'account');
      await mkdir(account);
      await writeFile(join(account, 'token'), WARMER_TOKEN);
      await writeFile(join(directory, 'ca.crt'), server.ca);
      const nodes = [
        { name: 'warm', bytes_missing: 0 },
        { name: 'cold', bytes_missing: 7 },
        { name: 'new', bytes_missing: 0 },
      ];
      await writeFile(join(directory, 'plan.json'), JSON.stringify({ nodes }));
      const child = spawn(process.execPath, [join(KUBERNETES, 'shoal/files/untaint.ts')], {
        env: {
          PATH: process.env.PATH,
          ACCOUNT_DIRECTORY: account,
          KUBERNETES_API: server.url,
          NODE_EXTRA_CA_CERTS: join(directory, 'ca.crt'),
          PLAN_COMMAND: `cat ${join(directory, 'plan.json')}`,
          INTERVAL_SECONDS: '0.2',
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const ended = once(child, 'exit');
      try {
        await eventually(
          () => taintsOf('warm'),
          (keys) => !keys.includes(COLD.key),
        );
      } finally {
        child.kill('SIGTERM');
        await ended;
      }
      expect(await taintsOf('warm')).toEqual([GPU.key]);
      expect(await taintsOf('cold')).toEqual([COLD.key]);
      expect(await taintsOf('new')).toContain(COLD.key);
    },
    TEST_MS,
  );

  it(
    'is all that its account may change of a node',
    async () => {
      const gone = { op: 'replace', path: '/spec/taints', value: [GPU] };
      // A policy counts a moment after it was written.
      const probe = [{ op: 'add', path: '/metadata/labels/x', value: 'y' }];
      await eventually(
        () => patchAs('cold', probe),
        ({ body }) => body.includes('denied request'),
      );
      const label = await patchAs('policed', [gone, ...probe]);
      expect([label.status, label.body]).toEqual([
        422,
        expect.stringContaining('may change nothing of a node but its taint'),
      ]);
      const other = await patchAs('policed', [{ op: 'replace', path: '/spec/taints', value: [COLD] }]);
      expect([other.status, other.body]).toEqual([
        422,
        expect.stringContaining('may only take the taint shoal.dev/cold away'),
      ]);
      const cordon = await patchAs('policed', [gone, { op: 'add', path: '/spec/unschedulable', value: true }]);
      expect(cordon.status).toBe(422);
      expect(await taintsOf('policed')).toEqual([GPU.key, COLD.key]);
      expect((await patchAs('policed', [gone])).status).toBe(200);
      expect(await taintsOf('policed')).toEqual([GPU.key]);
    },
    TEST_MS,
  );
});
