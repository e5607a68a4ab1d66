import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Unresolved } from '../unresolved.ts';
import type { Workload } from '../workload.ts';
import { type ComposeOptions, createComposeSource } from './compose-source.ts';

const { signal } = new AbortController();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-compose-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

async function read(options: Partial<ComposeOptions> = {}, env: Record<string, string> = {}) {
  const workloads: Workload[] = [];
  const unresolved: Unresolved[] = [];
  const stdin = (async function* () {
    yield Buffer.from('services: {piped: {image: "piped:1"}}\n');
  })();
  const source = createComposeSource({ stdin, env }, { path: folder, ...options });
  for await (const item of source.read({ signal })) {
    if (item.kind === 'workload') workloads.push(item.workload);
    if (item.kind === 'unresolved') unresolved.push(item.unresolved);
  }
  const images = workloads.flatMap((workload) => workload.images);
  const where = ({ file, line }: { file: string; line: number }) => `${relative(folder, file)}:${line}`;
  return {
    workloads,
    images: images.map((use) => `${where(use)} ${use.path} ${use.reference}`),
    unresolved: unresolved.map((one) => `${where(one)} ${one.reason}`),
  };
}

describe('createComposeSource()', () => {
  it('finds every place that names an image', async () => {
    write({
      'compose.yaml': [
        'name: shop',
        'services:',
        '  web:',
        '    image: nginx:1.27',
        '    platform: linux/arm64',
        '    deploy: {replicas: 3, mode: replicated}',
        '    pre_start:',
        '      - image: migrate:1',
        '    volumes:',
        '      - data:/data',
        '      - {type: image, source: "models/llm:8b", target: /model}',
        '  agent:',
        '    image: agent:2',
        '    deploy: {mode: global}',
        '  built: {build: .}',
        '  both: {build: ., image: "registry.example/both:1"}',
        '  local: {image: "local:1", pull_policy: never}',
        'models:',
        '  llm: {model: ai/smollm2}',
        '',
      ].join('\n'),
    });
    const { images, unresolved, workloads } = await read();
    expect(unresolved).toEqual([]);
    expect(images).toEqual([
      'compose.yaml:4 services.web.image docker.io/library/nginx:1.27',
      'compose.yaml:8 services.web.pre_start[0].image docker.io/library/migrate:1',
      'compose.yaml:11 services.web.volumes[1].source docker.io/models/llm:8b',
      'compose.yaml:13 services.agent.image docker.io/library/agent:2',
      'compose.yaml:16 services.both.image registry.example/both:1',
      'compose.yaml:19 models.llm.model docker.io/ai/smollm2:latest',
    ]);
    expect(workloads[0]).toMatchObject({ kind: 'ComposeService', namespace: 'shop', name: 'web', replicas: 3 });
    expect(workloads[0]?.pod.platform).toBe('linux/arm64');
    expect(workloads[1]?.isOnEveryNode).toBe(true);
  });

  it('fills in variables from .env and the environment, which wins, and tells what is not set', async () => {
    write({
      '.env': 'TAG=from-file\nREPO=registry.example\n',
      'compose.yaml':
        'services:\n  a: {image: "${REPO}/a:${TAG}"}\n  b: {image: "b:${MISSING:-7}"}\n  c: {image: "c:${MISSING}"}\n  d: {image: "d:${MISSING:?say which}"}\n',
    });
    const { images, unresolved } = await read({}, { TAG: 'from-env' });
    expect(images).toEqual([
      'compose.yaml:2 services.a.image registry.example/a:from-env',
      'compose.yaml:3 services.b.image docker.io/library/b:7',
    ]);
    expect(unresolved).toEqual([
      'compose.yaml:4 Variable "MISSING" is not set',
      'compose.yaml:5 Variable "MISSING" must be set: say which',
    ]);
  });

  it('merges overrides, each place keeping its own file', async () => {
    write({
      'compose.yaml': 'services:\n  a:\n    image: a:1\n    platform: linux/amd64\n  b:\n    image: b:1\n',
      'compose.override.yaml': 'services:\n  a:\n    image: a:2\n',
      'prod.yaml': 'services:\n  c: {image: "c:3"}\n',
    });
    const { images, workloads } = await read({ overrides: [join(folder, 'prod.yaml')] });
    expect(images).toEqual([
      'compose.override.yaml:3 services.a.image docker.io/library/a:2',
      'compose.yaml:6 services.b.image docker.io/library/b:1',
      'prod.yaml:2 services.c.image docker.io/library/c:3',
    ]);
    expect(workloads[0]?.pod.platform).toBe('linux/amd64');
  });

  it('leaves services out whose profiles are off', async () => {
    write({
      'compose.yaml':
        'services:\n  a: {image: "a:1"}\n  b: {image: "b:1", profiles: [debug]}\n  c: {image: "c:1", profiles: [gpu, big]}\n',
    });
    const names = async (options: Partial<ComposeOptions>, env = {}) =>
      (await read(options, env)).workloads.map(({ name }) => name);
    expect(await names({})).toEqual(['a']);
    expect(await names({ profiles: ['big'] })).toEqual(['a', 'c']);
    expect(await names({ profiles: ['*'] })).toEqual(['a', 'b', 'c']);
    expect(await names({}, { COMPOSE_PROFILES: 'debug, gpu' })).toEqual(['a', 'b', 'c']);
  });

  it('follows extends, within the file and into others, and ends in circles', async () => {
    write({
      'compose.yaml': [
        'services:',
        '  a: {extends: {service: base}, scale: 2}',
        '  base: {extends: {file: common/base.yaml, service: root}, profiles: [never]}',
        '  round: {extends: {service: trip}}',
        '  trip: {extends: {service: round}, image: "trip:1"}',
        '  lost: {extends: {service: nowhere}, image: "lost:1"}',
        '',
      ].join('\n'),
      'common/base.yaml': 'services:\n  root:\n    image: root:1\n',
    });
    const { images, unresolved } = await read({ profiles: ['never'] });
    expect(images).toContain('common/base.yaml:3 services.a.image docker.io/library/root:1');
    expect(images).toContain('compose.yaml:6 services.lost.image docker.io/library/lost:1');
    expect(images).toContain('compose.yaml:5 services.round.image docker.io/library/trip:1');
    expect(unresolved).toEqual(
      expect.arrayContaining([
        'compose.yaml:5 Service "round" extends itself',
        'compose.yaml:6 Service "nowhere" that "lost" extends is not there',
      ]),
    );
  });

  it('follows includes with environments of their own, and ends in circles', async () => {
    write({
      'compose.yaml':
        'include:\n  - sub/compose.yaml\n  - path: [other.yaml]\n    env_file: other.env\nservices:\n  a: {image: "a:${TAG:-top}"}\n',
      'sub/.env': 'TAG=sub\n',
      'sub/compose.yaml': 'include: [../compose.yaml]\nservices:\n  b: {image: "b:${TAG}"}\n',
      'other.env': 'TAG=other\n',
      'other.yaml': 'services:\n  c: {image: "c:${TAG}"}\n',
    });
    const { images, unresolved } = await read();
    expect(images.sort()).toEqual([
      'compose.yaml:6 services.a.image docker.io/library/a:top',
      'other.yaml:2 services.c.image docker.io/library/c:other',
      'sub/compose.yaml:3 services.b.image docker.io/library/b:sub',
    ]);
    expect(unresolved).toEqual([expect.stringMatching(/^sub\/compose\.yaml:1 The include leads back to itself/)]);
  });

  it('tells of files that are missing or broken, and reads stdin', async () => {
    expect((await read()).unresolved).toEqual([':1 The directory holds no compose file']);
    expect((await read({ path: join(folder, 'none.yaml') })).unresolved).toEqual([
      expect.stringMatching(/^none\.yaml:1 Not read/),
    ]);
    write({ 'compose.yml': 'services:\n  a: {image: "a:1"\n' });
    expect((await read()).unresolved).toEqual([expect.stringMatching(/^compose\.yml:\d Not read as YAML/)]);
    expect((await read({ path: '-' })).workloads.map(({ name }) => name)).toEqual(['piped']);
  });
});
