import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';
import { findHelm } from '../charts/helm.ts';
import { createFilesSource, type FilesDeps } from './files-source.ts';
import { readText } from './bounded-read.ts';

const { signal } = new AbortController();
const POD = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n`;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-files-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

async function* bytes(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

async function read(path: string, deps: Partial<FilesDeps> = {}): Promise<string[]> {
  const source = createFilesSource({ stdin: bytes(''), helm: undefined, ...deps }, { path });
  const found: string[] = [];
  for await (const item of source.read({ signal })) {
    const short = (file: string) => file.replace(`${folder}/`, '').replace(folder, '.');
    if (item.kind === 'document') {
      const { document } = item;
      const { metadata } = document.value as { metadata: { name: string } };
      found.push(`${short(document.file)}#${document.document} ${metadata.name}`);
    }
    if (item.kind === 'unresolved')
      found.push(`${short(item.unresolved.file)}:${item.unresolved.line} ${item.unresolved.reason}`);
  }
  return found;
}

async function chart(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
  tar.finalize();
  return gzipSync(await buffer(tar));
}

describe('createFilesSource()', () => {
  it('reads directories in order, and leaves out what holds no manifests', async () => {
    write({
      'b/two.yml': `${POD('one')}---\n${POD('two')}`,
      'a.json': '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "json"}}',
      'README.md': 'no: manifest',
      '.git/config.yaml': POD('hidden'),
      'node_modules/x/pod.yaml': POD('vendored'),
      'c/compose.yaml': 'services: {}',
      'd/bad.yaml': Buffer.from([0xff, 0xfe, 0x00]),
    });
    symlinkSync(folder, join(folder, 'b/loop'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'e.yaml'));
    expect(await read(folder)).toEqual([
      'a.json#1 json',
      'b/two.yml#1 one',
      'b/two.yml#2 two',
      expect.stringMatching(/^c\/compose\.yaml:1 Looks like a docker compose file/),
      'd/bad.yaml:1 Not read: It is not text in UTF-8',
      expect.stringMatching(/^e\.yaml:1 Not read: .*ENOENT/),
    ]);
  });

  it('reads a mounted ConfigMap, whose files are links', async () => {
    write({ '..2026/web.yaml': POD('web') });
    symlinkSync('..2026', join(folder, '..data'));
    symlinkSync('..data/web.yaml', join(folder, 'web.yaml'));
    expect(await read(folder)).toEqual(['web.yaml#1 web']);
  });

  it('reads stdin, and tells of a path that is not there', async () => {
    expect(await read('-', { stdin: bytes(POD('piped')) })).toEqual(['-#1 piped']);
    expect(await read(join(folder, 'none'))).toEqual([expect.stringMatching(/^none:1 Not read: .*ENOENT/)]);
  });

  it('opens chart archives: plain manifests, and an entry for each template that is not rendered', async () => {
    write({
      'web.tgz': await chart({
        'web/Chart.yaml': 'name: web',
        'web/values.yaml': 'image: nginx',
        'web/crds/crd.yaml': POD('crd'),
        'web/templates/plain.yaml': POD('plain'),
        'web/templates/deployment.yaml': 'kind: Pod\nimage: {{ .Values.image }}\n',
        'web/templates/_helpers.tpl': '{{ define "x" }}{{ end }}',
        'web/templates/NOTES.txt': '{{ x }}',
        'web/charts/sub/templates/sub.yaml': POD('sub'),
        'web/charts/packed.tgz': 'x',
      }),
      'broken.tgz': 'not gzip',
    });
    expect(await read(folder)).toEqual([
      expect.stringMatching(/^broken\.tgz:1 The chart is not read: /),
      'web.tgz!web/crds/crd.yaml#1 crd',
      'web.tgz!web/templates/plain.yaml#1 plain',
      'web.tgz!web/templates/deployment.yaml:2 A template is not rendered: helm is not on the PATH',
      'web.tgz!web/charts/sub/templates/sub.yaml#1 sub',
      expect.stringMatching(/^web\.tgz!web\/charts\/packed\.tgz:1 A chart within the chart is not read/),
    ]);
  });

  it('refuses an archive that unpacks to more than its bound', async () => {
    write({ 'bomb.tgz': gzipSync(Buffer.alloc(80 * 1024 * 1024)) });
    expect(await read(folder)).toEqual([expect.stringMatching(/^bomb\.tgz:1 The chart is not read: /)]);
  });

  it('renders charts with helm, when it is there', async () => {
    write({ 'bin/helm': HELM, 'charts/web/Chart.yaml': 'name: web', 'charts/web/templates/a.yaml': 'x: {{ y }}' });
    chmodSync(join(folder, 'bin/helm'), 0o755);
    const helm = await findHelm({ PATH: `relative:/nowhere:${join(folder, 'bin')}:/usr/bin:/bin` });
    expect(await read(join(folder, 'charts'), { helm })).toEqual([
      'charts/web!web/templates/a.yaml#1 rendered',
      'charts/web!web/templates/b.yaml#1 second',
    ]);
    write({ 'bin/helm': '#!/bin/sh\necho "Error: values do not fit" >&2\nexit 1\n' });
    expect(await read(join(folder, 'charts'), { helm })).toEqual([
      'charts/web!templates/a.yaml:1 A template is not rendered: helm template failed: Error: values do not fit',
    ]);
    expect(await findHelm({ PATH: '/nowhere' })).toBeUndefined();
  });
});

const HELM = `#!/bin/sh
[ "$1" = template ] || exit 9
cat <<'END'
---
# Source: web/templates/a.yaml
${POD('rendered')}---
# Source: web/templates/b.yaml
${POD('second')}END
`;

describe('readText()', () => {
  it('bounds what it takes, and drops a byte order mark', async () => {
    await expect(readText(bytes('12345'), { signal, bytesMax: 4 })).rejects.toThrow(/more than 4 B/);
    expect(await readText(bytes('\uFEFFa: 1'), { signal })).toBe('a: 1');
  });
});
