/**
 * The import table: this table IS the architecture. A module that is not listed fails, an arrow that is not listed fails,
 * and so does an import that walks past a module's seam files into its inside.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Module {
  /** Modules that it may import. */
  imports: readonly string[];
  /** The files that others may import; absent: every file (core's rooms are vocabularies, each file a word). */
  seams?: readonly string[];
  /** Node's own modules that it must not touch. */
  forbids?: readonly string[];
}

const DISK = ['node:fs', 'node:fs/promises'];
const SOCKETS = ['node:net', 'node:http', 'node:https', 'node:http2', 'node:dgram', 'node:tls', '@grpc/grpc-js', 'got'];
const CORE = ['core/oci', 'core/runtime'];

/** What the command line may see of the warmer. */
const WARMER = [
  'warmer/config.ts',
  'warmer/pipeline.ts',
  'warmer/warmer.ts',
  'warmer/plan',
  'warmer/report',
  'warmer/gate',
  'warmer/serve',
  'warmer/small-heap.ts',
];

const TABLE: Readonly<Record<string, Module>> = {
  'core/runtime': { imports: [] },
  'core/oci': { imports: ['core/runtime'], forbids: [...DISK, ...SOCKETS] },
  'core/registry': { imports: CORE },
  'plugin/store': {
    imports: CORE,
    seams: [
      'store.ts',
      'blob-store.ts',
      'ingest-store.ts',
      'partial-store.ts',
      'claim-store.ts',
      'store-watch.ts',
      'piece-bitmap.ts',
    ],
    forbids: SOCKETS,
  },
  'plugin/content': {
    imports: [...CORE, 'plugin/store'],
    seams: [
      'content.ts',
      'blob-source.ts',
      'known-blobs.ts',
      'manifests.ts',
      'image-pull.ts',
      'origin.ts',
      'kept-manifests.ts',
      'keep-proven.ts',
    ],
    forbids: [...DISK, ...SOCKETS],
  },
  'plugin/upstream': { imports: [...CORE, 'core/registry', 'plugin/content'], seams: ['upstream.ts'], forbids: DISK },
  'plugin/mesh': { imports: ['core/runtime'], seams: ['mesh.ts'], forbids: DISK },
  'plugin/peer': { imports: [...CORE, 'plugin/store'], seams: ['peer.ts', 'identity.ts'], forbids: DISK },
  'plugin/providers': {
    imports: [...CORE, 'plugin/peer', 'proto'],
    seams: ['providers.ts', 'rendezvous.ts', 'caller-name.ts', 'member-named.ts', 'wire-fields.ts'],
    forbids: [...DISK, ...SOCKETS],
  },
  'plugin/swarm': {
    imports: [...CORE, 'plugin/store', 'plugin/content', 'plugin/providers', 'plugin/peer', 'proto'],
    seams: ['swarm.ts'],
    forbids: [...DISK, ...SOCKETS],
  },
  'plugin/survey': {
    imports: [...CORE, 'plugin/providers', 'plugin/peer', 'proto'],
    seams: ['survey.ts', 'piece-map.ts'],
    forbids: [...DISK, ...SOCKETS],
  },
  'plugin/seed': {
    imports: [
      ...CORE,
      'plugin/store',
      'plugin/content',
      'plugin/containerd',
      'plugin/peer',
      'plugin/providers',
      'proto',
    ],
    seams: ['seed.ts', 'pull-token.ts', 'limits.ts'],
    forbids: [...DISK, ...SOCKETS],
  },
  'plugin/pinned-rows.ts': { imports: ['core/oci', 'plugin/store', 'plugin/admin'] },
  'plugin/seed-parts.ts': {
    imports: [
      ...CORE,
      'plugin/config.ts',
      'plugin/store',
      'plugin/content',
      'plugin/upstream',
      'plugin/containerd',
      'plugin/fleet',
      'plugin/providers',
      'plugin/peer',
      'plugin/seed',
    ],
  },
  'plugin/fleet': {
    imports: [
      'core/runtime',
      'plugin/config.ts',
      'plugin/config',
      'plugin/store',
      'plugin/mesh',
      'plugin/peer',
      'plugin/providers',
      'plugin/swarm',
      'plugin/survey',
    ],
    seams: ['fleet.ts'],
  },
  'plugin/containerd': { imports: [...CORE, 'proto'], seams: ['containerd.ts', 'image-runtime.ts'], forbids: DISK },
  'plugin/content-api': {
    imports: [...CORE, 'plugin/store', 'plugin/content', 'plugin/containerd', 'proto'],
    seams: ['claims.ts', 'server.ts'],
  },
  'plugin/mirror': { imports: [...CORE, 'plugin/content'], seams: ['mirror.ts'], forbids: DISK },
  'plugin/archive': {
    imports: [...CORE, 'plugin/store', 'plugin/content'],
    seams: ['archive.ts'],
    forbids: [...DISK, ...SOCKETS],
  },
  'plugin/archive-parts.ts': {
    imports: [...CORE, 'plugin/archive', 'plugin/content', 'plugin/mirror', 'plugin/store', 'plugin/upstream'],
  },
  'plugin/tag-memory.ts': { imports: [...CORE, 'plugin/mirror'] },
  'plugin/tag-sharing': {
    imports: [...CORE, 'plugin/mirror', 'plugin/peer', 'plugin/providers', 'proto'],
    seams: ['tag-sharing.ts'],
    forbids: [...DISK, ...SOCKETS],
  },
  'plugin/mirror-parts.ts': {
    imports: [
      ...CORE,
      'plugin/config.ts',
      'plugin/store',
      'plugin/content',
      'plugin/upstream',
      'plugin/mirror',
      'plugin/fleet',
      'plugin/tag-memory.ts',
      'plugin/tag-sharing',
    ],
  },
  'plugin/admin': {
    imports: [...CORE, 'plugin/archive', 'plugin/content', 'plugin/survey', 'plugin/seed', 'proto'],
    seams: ['admin.ts'],
  },
  'plugin/config.ts': { imports: [...CORE, 'plugin/config'] },
  'plugin/config': {
    imports: [...CORE, 'core/registry', 'plugin/config.ts'],
    seams: ['node-secrets.ts', 'reload.ts', 'node-shape.ts', 'node-conflicts.ts'],
    forbids: [...DISK, ...SOCKETS],
  },
  'plugin/registry-endpoints.ts': { imports: [...CORE, 'core/registry', 'plugin/config.ts', 'plugin/config'] },
  'plugin/credential-source.ts': { imports: [...CORE, 'core/registry', 'plugin/config.ts'] },
  'plugin/store-limits.ts': { imports: [...CORE, 'plugin/config.ts', 'plugin/store'] },
  'plugin/node-status.ts': {
    imports: [
      'core/runtime',
      'plugin/config.ts',
      'plugin/store',
      'plugin/content',
      'plugin/containerd',
      'plugin/content-api',
      'plugin/admin',
      'plugin/fleet',
    ],
  },
  'plugin/member-facts.ts': {
    imports: [
      'core/runtime',
      'plugin/store',
      'plugin/content',
      'plugin/fleet',
      'plugin/survey',
      'plugin/node-status.ts',
    ],
  },
  'plugin/daemon.ts': {
    imports: [
      ...CORE,
      'core/registry',
      'plugin/config.ts',
      'plugin/config',
      'plugin/registry-endpoints.ts',
      'plugin/credential-source.ts',
      'plugin/store-limits.ts',
      'plugin/node-status.ts',
      'plugin/member-facts.ts',
      'plugin/mirror-parts.ts',
      'plugin/archive-parts.ts',
      'plugin/seed-parts.ts',
      'plugin/pinned-rows.ts',
      'plugin/seed',
      'plugin/store',
      'plugin/content',
      'plugin/upstream',
      'plugin/fleet',
      'plugin/containerd',
      'plugin/content-api',
      'plugin/admin',
    ],
  },
  cli: {
    imports: [
      ...CORE,
      'core/registry',
      'plugin/config.ts',
      'plugin/config',
      'plugin/daemon.ts',
      'plugin/containerd',
      ...WARMER,
    ],
  },
  proto: { imports: [] },
  // Data goes forwards (sources → images → plan → seed → report); whoever comes later may know who came before.
  'warmer/config.ts': { imports: [...CORE, 'warmer/config'] },
  'warmer/config': {
    imports: [...CORE, 'core/registry', 'warmer/sources'],
    seams: ['warmer-conflicts.ts', 'warmer-shape.ts'],
    forbids: [...DISK, ...SOCKETS],
  },
  'warmer/sources': { imports: CORE },
  'warmer/sources/kubernetes': {
    imports: [...CORE, 'core/registry', 'warmer/sources'],
    seams: ['cluster.ts'],
    forbids: ['node:fs', 'node:http', 'node:https', 'got'],
  },
  'warmer/schedule': {
    imports: [...CORE, 'warmer/sources'],
    seams: ['schedule.ts', 'predict.ts', 'start-by.ts', 'rate-memory.ts', 'own-schedule.ts'],
    forbids: [...DISK, ...SOCKETS],
  },
  'warmer/plan': {
    imports: [...CORE, 'warmer/sources', 'warmer/schedule'],
    seams: [
      'plan.ts',
      'plan-input.ts',
      'make-plan.ts',
      'wanted-platforms.ts',
      'plan-json.ts',
      'plan-table.ts',
      'text-columns.ts',
    ],
    forbids: [...DISK, ...SOCKETS],
  },
  'warmer/images': { imports: [...CORE, 'core/registry', 'warmer/sources'], forbids: DISK },
  'warmer/survey': {
    imports: [...CORE, 'warmer/sources', 'warmer/schedule', 'warmer/images', 'warmer/plan', 'warmer/seed'],
    forbids: [...DISK, ...SOCKETS],
  },
  'warmer/seed': {
    imports: [...CORE, 'core/registry', 'proto', 'warmer/sources', 'warmer/images', 'warmer/plan'],
    forbids: DISK,
  },
  'warmer/lease': {
    imports: ['core/runtime', 'proto', 'warmer/sources', 'warmer/sources/kubernetes', 'warmer/seed'],
    forbids: DISK,
  },
  'warmer/report': {
    imports: [...CORE, 'proto', 'warmer/images', 'warmer/plan', 'warmer/seed'],
    forbids: [...DISK, ...SOCKETS],
  },
  'warmer/gate': { imports: [...CORE, 'warmer/plan'], forbids: [...DISK, ...SOCKETS] },
  'warmer/state': { imports: [...CORE, 'warmer/sources', 'warmer/schedule', 'warmer/images'], forbids: SOCKETS },
  'warmer/prepare.ts': {
    imports: [
      ...CORE,
      'warmer/config.ts',
      'warmer/sources',
      'warmer/schedule',
      'warmer/images',
      'warmer/plan',
      'warmer/survey',
      'warmer/seed',
    ],
    forbids: [...DISK, ...SOCKETS],
  },
  'warmer/open-sources.ts': {
    imports: ['core/runtime', 'warmer/config.ts', 'warmer/sources', 'warmer/sources/kubernetes', 'warmer/survey'],
    forbids: DISK,
  },
  'warmer/secret-file.ts': { imports: ['core/runtime'], forbids: SOCKETS },
  'warmer/registries.ts': {
    imports: [...CORE, 'core/registry', 'warmer/config.ts', 'warmer/images', 'warmer/secret-file.ts'],
  },
  'warmer/small-heap.ts': { imports: [] },
  'warmer/warmer.ts': { imports: ['core/runtime', 'warmer/prepare.ts', 'warmer/report'] },
  'warmer/pipeline.ts': {
    imports: [
      ...CORE,
      'proto',
      'warmer/config.ts',
      'warmer/warmer.ts',
      'warmer/prepare.ts',
      'warmer/open-sources.ts',
      'warmer/secret-file.ts',
      'warmer/registries.ts',
      'warmer/sources',
      'warmer/schedule',
      'warmer/images',
      'warmer/plan',
      'warmer/seed',
      'warmer/lease',
      'warmer/report',
      'warmer/state',
    ],
    forbids: [...DISK, ...SOCKETS],
  },
  'warmer/serve': {
    imports: [
      'core/runtime',
      'warmer/schedule',
      'warmer/plan',
      'warmer/report',
      'warmer/prepare.ts',
      'warmer/warmer.ts',
    ],
    seams: ['warm-daemon.ts', 'events.ts', 'metrics-server.ts'],
    forbids: DISK,
  },
};

/** Composition roots construct across modules, so they reach implementations. */
const ROOTS = new Set([
  'plugin/daemon.ts',
  'plugin/mirror-parts.ts',
  'plugin/archive-parts.ts',
  'plugin/seed-parts.ts',
  'plugin/fleet/fleet.ts',
  'cli/containerd-socket.ts',
]);

const ROOT = resolve(import.meta.dirname, '..');

interface Arrow {
  file: string;
  target: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes('node_modules'));
}

/** Test files and the suites that they share stand beside their subject and may reach anything. */
function isTest(file: string): boolean {
  return file.endsWith('.test.ts') || file.endsWith('-conformance.ts');
}

function importsOf(file: string): Arrow[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g,
  );
  return [...found].map((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? '';
    return { file, target: target.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), target)) : target };
  });
}

function moduleOf(path: string): string | undefined {
  const names = Object.keys(TABLE).filter((name) => path === name || path.startsWith(`${name}/`));
  return names.sort((a, b) => b.length - a.length)[0];
}

const files = ['cli', 'core', 'plugin', 'warmer', 'proto'].flatMap(sourceFiles).filter((file) => !isTest(file));
const arrows = files.flatMap(importsOf);
const inner = arrows.filter((arrow) => moduleOf(arrow.target) !== undefined);

describe('architecture', () => {
  it('has files and arrows to look at', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(inner.length).toBeGreaterThan(20);
  });

  it('every source file belongs to a listed module', () => {
    expect(files.filter((file) => moduleOf(file) === undefined)).toEqual([]);
  });

  it('every arrow between modules is in the table', () => {
    const wrong = inner.filter(({ file, target }) => {
      const from = moduleOf(file);
      const to = moduleOf(target);
      return from !== to && !TABLE[from ?? '']?.imports.includes(to ?? '');
    });
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  it('no arrow walks past a seam file', () => {
    const wrong = inner.filter(({ file, target }) => {
      const to = moduleOf(target) ?? '';
      const seams = TABLE[to]?.seams;
      if (seams === undefined || moduleOf(file) === to || ROOTS.has(file)) return false;
      return !seams.some((seam) => target === `${to}/${seam}`);
    });
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  it('no module touches what it must not know', () => {
    const wrong = arrows.filter(({ file, target }) => TABLE[moduleOf(file) ?? '']?.forbids?.includes(target) ?? false);
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  it('only cli/main.ts touches the process', () => {
    const touching = files.filter((file) => {
      const code = readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'|`[^`]*`/g, '');
      return /(?<![.\w-])process\b(?!\s*[:=(])/.test(code);
    });
    expect(touching).toEqual(['cli/main.ts']);
  });
});
