/**
 * Renders the plain manifests from the chart, so that both say the same: `node packaging/kubernetes/render.ts HELM` writes them;
 * `renderManifests` gives their text to whoever compares.
 */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const CHART = join(import.meta.dirname, 'shoal');
export const MANIFESTS = join(import.meta.dirname, 'manifests');

/** A helm that was built without version flags takes the cluster for an ancient one, unless told. */
const KUBE_VERSION = '1.34.0';

/** Which templates make which file. */
const FILES = {
  'node.yaml': ['node-config', 'services', 'node'],
  'warmer.yaml': ['warmer-rbac', 'warmer', 'network-policy'],
  'startup-taint.yaml': ['untaint'],
  'service-monitor.yaml': ['service-monitor'],
} as const;

export interface HelmRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm without the user's own settings. */
export function runHelm(helm: string, args: readonly string[], input = ''): HelmRun {
  const { status, stdout, stderr, error } = spawnSync(helm, args, { encoding: 'utf8', input });
  if (error !== undefined) throw error;
  return { exitCode: status, stdout, stderr };
}

/** `helm template` of the chart in the namespace `shoal`, with values as YAML. @throws Error quoting helm */
export function renderChart(helm: string, values: string, more: readonly string[] = []): string {
  const args = ['template', 'shoal', CHART, '--namespace', 'shoal', '--kube-version', KUBE_VERSION, '--values', '-'];
  const { exitCode, stdout, stderr } = runHelm(helm, [...args, ...more], values);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

/** Every file of `manifests/` that is made from the chart, with its text. */
export function renderManifests(helm: string, values: string): Map<string, string> {
  return new Map(
    Object.entries(FILES).map(([file, templates]) => {
      const only = templates.flatMap((template) => ['--show-only', `templates/${template}.yaml`]);
      return [
        file,
        `# Made from the chart by packaging/kubernetes/render.ts.\n${plain(renderChart(helm, values, only))}`,
      ];
    }),
  );
}

/** Without what only Helm's own releases have. */
function plain(text: string): string {
  return text
    .split('\n')
    .filter(
      (line) => !/^\s*(app\.kubernetes\.io\/managed-by|helm\.sh\/chart):/.test(line) && !line.startsWith('# Source:'),
    )
    .join('\n');
}

if (import.meta.main) {
  const [helm = 'helm'] = process.argv.slice(2);
  const { readFile } = await import('node:fs/promises');
  const values = await readFile(join(MANIFESTS, 'values.yaml'), 'utf8');
  for (const [file, text] of renderManifests(helm, values)) await writeFile(join(MANIFESTS, file), text);
}
