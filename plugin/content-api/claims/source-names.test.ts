import { describe, expect, it } from '@jest/globals';
import { parseIngestRef, sourceInImageName, sourcesInLabels } from './source-names.ts';

const HEX = 'a'.repeat(64);

describe('sourcesInLabels()', () => {
  it('reads every repository of every host and leaves other labels alone', () => {
    const labels = new Map([
      ['containerd.io/distribution.source.docker.io', 'library/nginx,team/nginx'],
      ['containerd.io/distribution.source.127.0.0.1', 'lib/hello'],
      ['containerd.io/gc.ref.content.0', 'sha256:x'],
      ['containerd.io/distribution.source.', 'x'],
      ['containerd.io/distribution.source.empty.example', ''],
    ]);
    expect(sourcesInLabels(labels)).toEqual([
      { registry: 'docker.io', repository: 'library/nginx' },
      { registry: 'docker.io', repository: 'team/nginx' },
      { registry: '127.0.0.1', repository: 'lib/hello' },
    ]);
  });
});

describe('sourceInImageName()', () => {
  it('reads names that spell their registry', () => {
    expect(sourceInImageName('docker.io/library/nginx:1.27')).toEqual({
      registry: 'docker.io',
      repository: 'library/nginx',
    });
    expect(sourceInImageName(`127.0.0.1:5000/a/b@sha256:${HEX}`)).toEqual({
      registry: '127.0.0.1:5000',
      repository: 'a/b',
    });
  });

  it('refuses ids, import names and anything else', () => {
    for (const name of [`sha256:${HEX}`, 'import-2026-11-21', 'nginx:1', 'not a name', '', 'x/y:z']) {
      expect(sourceInImageName(name)).toBeUndefined();
    }
  });
});

describe('parseIngestRef()', () => {
  it('reads namespace and kind as containerd writes them', () => {
    expect(parseIngestRef(`k8s.io/12/manifest-sha256:${HEX}`)).toEqual({
      namespace: 'k8s.io',
      kind: 'manifest',
      digest: `sha256:${HEX}`,
    });
    expect(parseIngestRef(`default/1/index-name/with@sha256:${HEX}`)).toEqual({ namespace: 'default', kind: 'index' });
    expect(parseIngestRef(`default/1/layer-sha256:${HEX}`)).toEqual({
      namespace: 'default',
      kind: 'layer',
      digest: `sha256:${HEX}`,
    });
  });

  it('takes what it can from refs of other clients', () => {
    expect(parseIngestRef('some-ref')).toEqual({ kind: '' });
    expect(parseIngestRef(`config-sha256:${HEX}`)).toEqual({ kind: 'config', digest: `sha256:${HEX}` });
    expect(parseIngestRef('ns/3/my upload')).toEqual({ namespace: 'ns', kind: '' });
  });
});
