/**
 * The alert rules and the dashboard against a running node: promtool reads all of them, and every metric that they name is one that the
 * node has. promtool is Debian's, unpacked; skipped with one line where it is not.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { DASHBOARD_FILE, dashboard, queries } from '../../packaging/monitoring/dashboard.ts';
import { startDaemon } from '../support/debian/daemon-process.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { freePort } from '../support/debian/free-port.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'packaging/monitoring');
const PROMTOOL = join(process.env.SHOAL_TEST_WORK ?? join(ROOT, '.work'), 'prometheus/usr/bin/promtool');

/** prom-client's own names, which the linter dislikes. */
const KNOWN_LINT =
  /^nodejs_active_(handles|requests|resources)_total non-counter metrics should not have "_total" suffix$/;
/** Made by Prometheus itself, or by a rule of ours. */
const NOT_OURS = new Set(['up', 'ALERTS', 'shoal:bytes_from_peers:ratio_rate5m']);

const isThere = existsSync(PROMTOOL);
if (!isThere) process.stderr.write(`Alert rules are not checked: no "${PROMTOOL}" (.ci/debian-packages unpacks it)\n`);
const whenPromtool = isThere ? it : it.skip;

function promtool(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { cwd: FOLDER, input, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** Names of metrics in PromQL: what stands before a selector or a range, and is neither a function nor a label. */
function metricsIn(expr: string): string[] {
  const plain = expr
    .replace(/"[^"]*"/g, '""')
    .replace(/\b(by|on|without|ignoring)\s*\([^)]*\)/g, ' ')
    .replace(/\{[^}]*\}/g, '{}');
  return [...plain.matchAll(/\b((?:shoal|process|nodejs|up)[a-z0-9_:]*)\b(?!\s*\()/g)].map(([, name = '']) => name);
}

describe('what is looked at', () => {
  let node: NodeProcess | undefined;
  let directory = '';
  let metrics = '';
  let nodeMetrics = '';
  beforeAll(async () => {
    directory = await makeTestDirectory('shoal-monitoring-');
    const keyFile = join(directory, 'mesh.key');
    await writeFile(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
    const port = await freePort();
    node = await startNode({ registries: [], mirror: true, mesh: { name: 'a', port, joinPort: port, keyFile } });
    nodeMetrics = await (await fetch(`${node.adminUrl}/metrics`)).text();
    metrics = `${nodeMetrics}${await warmerMetrics(node)}`;
  });
  afterAll(async () => {
    await node?.stop();
    await removeTestDirectory(directory);
  });

  /** What a running warmer has at its own address. */
  async function warmerMetrics({ adminUrl }: NodeProcess): Promise<string> {
    const port = await freePort();
    const file = join(directory, 'warmer.toml');
    const at = adminUrl.slice('http://'.length);
    await writeFile(
      file,
      `node = "${at}"\nstate_file = ""\nlease = "off"\nmetrics_listen = "127.0.0.1:${port}"\n[[source]]\nkind = "files"\npath = "${directory}"\n`,
    );
    const [stdoutFile, stderrFile] = [join(directory, 'warmer.out'), join(directory, 'warmer.err')];
    const command = [process.execPath, join(ROOT, 'cli/main.ts'), 'warm', 'serve', '--config', file];
    const warmer = await startDaemon({ name: 'shoal warm serve', command, stdoutFile, stderrFile });
    try {
      return await warmer.waitUntil('has metrics', 30_000, async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
        return answer?.ok ? answer.text() : undefined;
      });
    } finally {
      await warmer.terminate(10_000);
    }
  }

  whenPromtool('promtool finds nothing wrong with /metrics but three names of its library', () => {
    const { output } = promtool(['check', 'metrics'], nodeMetrics);
    expect(output.split('\n').filter((line) => line !== '' && !KNOWN_LINT.test(line))).toEqual([]);
  });

  whenPromtool('promtool takes the alert rules', () => {
    expect(promtool(['check', 'rules', 'alerts.yaml'])).toMatchObject({ status: 0 });
  });

  whenPromtool('every alert fires where it should and nowhere else', async () => {
    expect(promtool(['test', 'rules', 'alerts.test.yaml'])).toMatchObject({
      status: 0,
      output: expect.stringContaining('SUCCESS'),
    });
    const rules: { groups: { rules: { alert?: string }[] }[] } = parse(
      await readFile(join(FOLDER, 'alerts.yaml'), 'utf8'),
    );
    const tests = await readFile(join(FOLDER, 'alerts.test.yaml'), 'utf8');
    const alerts = rules.groups.flatMap((group) => group.rules.flatMap(({ alert }) => alert ?? []));
    expect(alerts.filter((alert) => !tests.includes(`"${alert}"`))).toEqual([]);
  });

  whenPromtool('promtool takes every question of the dashboard', async () => {
    const rules = queries().map((expr, at) => ({
      record: `panel_${at}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '3h').replaceAll('$instance', '.*'),
    }));
    // JSON is YAML.
    const file = join(directory, 'dashboard.yaml');
    await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(promtool(['check', 'rules', file])).toMatchObject({ status: 0 });
  });

  it('every metric that is named is one that a node has', async () => {
    const exposed = new Set(
      [...metrics.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name, kind]) =>
        kind === 'histogram' ? [`${name}_bucket`, name] : [name],
      ),
    );
    const rules: { groups: { rules: { expr: string }[] }[] } = parse(
      await readFile(join(FOLDER, 'alerts.yaml'), 'utf8'),
    );
    const asked = [...queries(), ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr))];
    const named = new Set(asked.flatMap(metricsIn));
    expect(named.size).toBeGreaterThan(25);
    expect([...named].filter((name) => !exposed.has(name) && !NOT_OURS.has(name))).toEqual([]);
  });

  it('the dashboard is the one that is written (node packaging/monitoring/dashboard.ts writes it again)', async () => {
    expect(JSON.parse(await readFile(DASHBOARD_FILE, 'utf8'))).toEqual(dashboard());
  });
});
