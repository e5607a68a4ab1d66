/**
 * The chart and the plain manifests: linted and rendered by helm, decoded as an API server decodes, and what they write for us read by
 * our own readers. Skipped with one line where helm cannot be built.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { CHART, MANIFESTS, renderChart, renderManifests, runHelm } from '../../packaging/kubernetes/render.ts';
import { parseNodeConfig } from '../../plugin/config.ts';
import { goTool } from '../support/go/go-tool.ts';
import { runShoal } from '../support/cli/run-shoal.ts';
import { parseWarmerConfig } from '../../warmer/config.ts';

const CHECKER = join(import.meta.dirname, 'kubernetes-manifests');
/** Compiling for the first time. */
const TIMEOUT_MS = 600_000;

const VALUES: Readonly<Record<string, string>> = {
  'nothing set': '',
  'the pod network and everything on': `
node:
  network: pod
  hosts: { enabled: true }
  priorityClassQuota: true
  extraSecrets: [{ name: registry, mountPath: /etc/shoal/registry }]
  podAnnotations: { example.com/a: "1" }
  config: |
    [store]
    capacity = "20%"

    [[upstream.registry]]
    host = "registry.example"
    username = "a"
    password_file = "/etc/shoal/registry/password"
warmer:
  mode: cronjob
  rbac: { secretNamespaces: [shop, default], extraRules: [{ apiGroups: [example.com], resources: [engines], verbs: [list] }] }
startupTaint: { enabled: true, admissionPolicy: true, key: shoal.dev/other, effect: NoExecute }
metrics: { serviceMonitor: { enabled: true, labels: { release: prometheus } } }
`,
  'IPv6, secrets of its own': `
node: { ipFamily: IPv6, maxUnavailable: 10% }
mesh: { existingSecret: keys, join: ["dnssrv:_gossip._tcp.shoal.example"] }
admin: { existingSecret: tokens }
image: { repository: registry.example/shoal, digest: "sha256:${'a'.repeat(64)}", pullSecrets: [{ name: pull }] }
`,
  'no warmer, no policy': 'warmer: { enabled: false }\nnetworkPolicy: { enabled: false }',
};

const REFUSED: Readonly<Record<string, string>> = {
  'a key that does not exist': 'nod: {}',
  'a network that does not exist': 'node: { network: overlay }',
  'a port beyond the last': 'node: { ports: { mesh: 70000, peer: 1, mirror: 2, admin: 3 } }',
  'a table that the chart writes': 'node: { config: "[mesh]\\nenabled = false" }',
  'a digest that is none': 'image: { repository: a, digest: latest }',
  'a taint of another name': 'startupTaint: { enabled: true, key: example.com/cold }',
  'a taint without a warmer': 'warmer: { enabled: false }\nstartupTaint: { enabled: true }',
};

const helm = goTool('helm.sh/helm/v3/cmd/helm', 'v3.19.0');
if ('reason' in helm) process.stderr.write(`The Kubernetes chart is not rendered: ${helm.reason}\n`);
const program = 'program' in helm ? helm.program : '';
const whenHelm = 'program' in helm ? it : it.skip;

/** Kind and name of each object, as an API server would take it. @throws Error quoting what it would refuse */
function accepted(text: string): string[] {
  const run = spawnSync('go', ['run', '.'], { cwd: CHECKER, input: text, encoding: 'utf8', timeout: TIMEOUT_MS });
  if (run.status !== 0) throw new Error(`${run.stdout}${run.stderr}`);
  return run.stdout.trim().split('\n');
}

function configIn(text: string, file: string): string | undefined {
  return parseAllDocuments(text)
    .map((document) => document.getIn(['data', file]))
    .find((found) => typeof found === 'string');
}

describe('the Kubernetes chart', () => {
  for (const [name, values] of Object.entries(VALUES)) {
    whenHelm(
      `is linted, and an API server takes what it renders, with ${name}`,
      () => {
        const lint = runHelm(program, ['lint', CHART, '--strict', '--kube-version', '1.34.0', '--values', '-'], values);
        expect(lint).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('0 chart(s) failed') });
        const objects = accepted(renderChart(program, values));
        expect(objects).toContain('DaemonSet.apps shoal-node');
      },
      TIMEOUT_MS,
    );

    whenHelm(`writes configurations that the program reads, with ${name}`, () => {
      const text = renderChart(program, values);
      const node = configIn(text, 'shoal.toml') ?? '';
      const ip = values.includes('IPv6') ? 'fd00::1' : '10.0.0.1';
      const env = { NODE_NAME: 'node-a', NODE_ZONE: '', POD_IP: ip, HOST_IP: ip };
      const config = parseNodeConfig({ text: node, file: 'shoal.toml', env, hostName: 'pod' });
      expect(config.content).toMatchObject({ socket: undefined, containerd: undefined, claim: 'local' });
      expect(config.mesh.advertise).toEqual({ host: ip, port: 7946 });
      expect(config.mesh.join[0]).toEqual({ kind: 'dns', name: 'shoal-mesh.shoal.svc', port: 7946 });
      const warmer = configIn(text, 'warmer.toml');
      if (values.includes('enabled: false')) expect(warmer).toBeUndefined();
      else {
        const read = parseWarmerConfig({ text: warmer ?? '', file: 'warmer.toml', env });
        expect([read.node, read.sources[0]?.kind]).toEqual([{ host: ip, port: 7950 }, 'kubernetes']);
      }
    });
  }

  for (const [name, values] of Object.entries(REFUSED)) {
    whenHelm(`refuses ${name}`, () => {
      expect(() => renderChart(program, values)).toThrow(/Error/);
    });
  }

  whenHelm('gives the mirror to the node alone in either network', () => {
    const listenOf = (values: string) => {
      const text = configIn(renderChart(program, values), 'shoal.toml') ?? '';
      const env = { NODE_NAME: 'a', NODE_ZONE: '', POD_IP: '10.0.0.1' };
      return parseNodeConfig({ text, file: 'shoal.toml', env, hostName: 'pod' }).mirror.listen?.host;
    };
    expect(listenOf('')).toBe('127.0.0.1');
    expect(listenOf('node: { network: pod }')).toBe('0.0.0.0');
    const ports = renderChart(program, 'node: { network: pod }', ['--show-only', 'templates/node.yaml']);
    expect(ports).toMatch(/hostPort: 7949\s+hostIP: 127\.0\.0\.1/);
  });

  whenHelm('reads secrets only in namespaces that are named', () => {
    const rules = (values: string) => renderChart(program, values, ['--show-only', 'templates/warmer-rbac.yaml']);
    expect(rules('')).not.toMatch(/secrets/);
    expect(rules('warmer: { rbac: { secretNamespaces: [shop] } }')).toMatch(
      /namespace: shop[\s\S]*resources: \[secrets\]/,
    );
  });

  whenHelm('makes a mesh key that the program takes', () => {
    const secret = parse(renderChart(program, '', ['--show-only', 'templates/secrets.yaml']).split('\n---\n')[0] ?? '');
    const key = Buffer.from(secret.data['mesh.key'], 'base64').toString();
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
  });
});

describe('the plain manifests', () => {
  const read = (file: string) => readFileSync(join(MANIFESTS, file), 'utf8');

  whenHelm('are what the chart renders (node packaging/kubernetes/render.ts HELM makes them again)', () => {
    const rendered = renderManifests(program, read('values.yaml'));
    expect(rendered.size).toBeGreaterThan(3);
    for (const [file, text] of rendered) expect([file, read(file)]).toEqual([file, text]);
  });

  whenHelm(
    'are taken by an API server',
    () => {
      const files = ['namespace.yaml', 'node.yaml', 'warmer.yaml', 'startup-taint.yaml', 'service-monitor.yaml'];
      expect(accepted(files.map(read).join('\n---\n'))).toContain('Namespace shoal');
      expect(() => accepted(read('node.yaml').replace('hostNetwork', 'hostNetwrk'))).toThrow(
        /unknown field "spec.*hostNetwrk"/,
      );
    },
    TIMEOUT_MS,
  );

  it.each([[['serve']], [['install', 'containerd']], [['warm', 'serve']], [['warm', 'run']], [['warm', 'plan']]])(
    'call commands that exist: %j',
    async (command) => {
      const { code, stdout } = await runShoal([...command, '--help']);
      expect([code, stdout]).toEqual([0, expect.stringContaining('--config')]);
    },
  );
});
