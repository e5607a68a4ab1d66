/**
 * A warmer for one test: a folder with manifests and a configuration, and `shoal warm …` as a child process.
 *
 * ```ts
 * await using warmer = await setUpWarmer({ admin: '127.0.0.1:7950', registry });
 * await warmer.write('web.yaml', deployment(...));
 * const { code, json } = await warmer.json('run', '--now', '2026-11-21T07:50:00Z');
 * ```
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ran, runShoal } from '../cli/run-shoal.ts';
import { makeTestDirectory, removeTestDirectory } from '../debian/test-directory.ts';
import type { NodeRegistry } from '../node/node-config.ts';

/** What `plan`, `run` and `gate` print, as far as tests look at it; each has some of it. */
export interface WarmDocument {
  readonly at: string;
  readonly images: readonly { readonly bytes: number; readonly used_by: readonly unknown[] }[];
  readonly events: readonly { readonly start_by: string }[];
  readonly rows: readonly WarmRow[];
  readonly unresolved: readonly { readonly file: string; readonly line: number }[];
  readonly totals: Readonly<Record<string, number>>;
}

export interface WarmRow {
  readonly node: string;
  readonly image: string;
  readonly state: string;
  readonly skipped?: string;
  readonly failed?: { readonly code: string; readonly retriable: boolean };
  readonly unpacked?: boolean;
}

export interface WarmerSetup extends AsyncDisposable {
  readonly directory: string;
  readonly manifests: string;
  readonly configFile: string;
  /** A manifest. */
  write(name: string, text: string): Promise<void>;
  /** `shoal warm <command> --config <file> …`. */
  warm(command: string, ...args: string[]): Promise<Ran>;
  /** The same with `--json`. @throws Error with everything that it said when that is no JSON */
  json(command: string, ...args: string[]): Promise<{ code: number | null; json: WarmDocument; stderr: string }>;
}

export interface WarmerSettings {
  /** `127.0.0.1:PORT` of a node. */
  readonly admin: string;
  readonly registries: readonly NodeRegistry[];
  /** Lines of `[target]`, `[schedule]` and the top of the file. */
  readonly top?: string;
  readonly target?: string;
  readonly schedule?: string;
  readonly upstream?: string;
}

export async function setUpWarmer(settings: WarmerSettings): Promise<WarmerSetup> {
  const directory = await makeTestDirectory('shoal-warmer-');
  const manifests = join(directory, 'manifests');
  const configFile = join(directory, 'warmer.toml');
  await mkdir(manifests);
  await writeFile(join(directory, 'docker.json'), '{}');
  await writeFile(configFile, configText(settings, { directory, manifests }));
  const warm = (command: string, ...args: string[]) =>
    runShoal(['warm', command, '--config', configFile, ...args], { HOME: directory });
  return {
    directory,
    manifests,
    configFile,
    write: (name, text) => writeFile(join(manifests, name), text),
    warm,
    async json(command, ...args) {
      const { code, stdout, stderr } = await warm(command, '--json', ...args);
      try {
        return { code, json: JSON.parse(stdout), stderr };
      } catch (error) {
        throw new Error(`shoal warm ${command} ended with ${code} and said no JSON:\n${stdout}\n${stderr}`, {
          cause: error,
        });
      }
    },
    [Symbol.asyncDispose]: () => removeTestDirectory(directory),
  };
}

/** A Deployment of one image; `scaler` adds a KEDA cron trigger that begins at 08:00 UTC. */
export function deployment(
  name: string,
  image: string,
  more: { scaler?: boolean; secret?: string; nodeSelector?: string } = {},
): string {
  const lines = [
    'apiVersion: apps/v1',
    'kind: Deployment',
    `metadata: { name: ${name}, namespace: shop }`,
    'spec:',
    '  replicas: 1',
    `  selector: { matchLabels: { app: ${name} } }`,
    '  template:',
    `    metadata: { labels: { app: ${name} } }`,
    '    spec:',
    ...(more.secret === undefined ? [] : [`      imagePullSecrets: [{ name: ${more.secret} }]`]),
    ...(more.nodeSelector === undefined ? [] : [`      nodeSelector: { ${more.nodeSelector} }`]),
    '      containers:',
    '        - name: main',
    `          image: "${image}"`,
    '',
  ];
  return more.scaler ? `${lines.join('\n')}---\n${scaler(name)}` : lines.join('\n');
}

function scaler(name: string): string {
  return [
    'apiVersion: keda.sh/v1alpha1',
    'kind: ScaledObject',
    `metadata: { name: ${name}, namespace: shop }`,
    'spec:',
    `  scaleTargetRef: { name: ${name} }`,
    '  triggers:',
    '    - type: cron',
    '      metadata: { timezone: UTC, start: 0 8 * * *, end: 0 20 * * *, desiredReplicas: "30" }',
    '',
  ].join('\n');
}

function configText(settings: WarmerSettings, at: { directory: string; manifests: string }): string {
  const text = JSON.stringify;
  return [
    `node = ${text(settings.admin)}`,
    `state_file = ${text(join(at.directory, 'state/warmer.json'))}`,
    settings.top ?? '',
    '[[source]]',
    'kind = "files"',
    `path = ${text(at.manifests)}`,
    '[schedule]',
    settings.schedule ?? '',
    '[target]',
    settings.target ?? '',
    '[upstream]',
    `docker_config = ${text(join(at.directory, 'docker.json'))}`,
    settings.upstream ?? '',
    ...settings.registries.flatMap(({ host, url }) => [
      '[[upstream.registry]]',
      `host = ${text(host)}`,
      `endpoint = ${text(url)}`,
    ]),
    '',
  ].join('\n');
}
