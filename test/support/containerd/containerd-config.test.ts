import { describe, expect, it } from '@jest/globals';
import { getStaticTOMLValue, parseTOML } from 'toml-eslint-parser';
import { containerdConfig } from './containerd-config.ts';

const parse = (text: string) => getStaticTOMLValue(parseTOML(text));

const BASE = { directory: '/tmp/a "quoted" node', snapshotter: 'overlayfs' } as const;

describe('containerdConfig()', () => {
  it('writes paths below the directory and leaves CRI out unless asked for', () => {
    expect(parse(containerdConfig({ ...BASE, version: '1.6' }))).toMatchObject({
      version: 2,
      root: '/tmp/a "quoted" node/root',
      grpc: { address: '/tmp/a "quoted" node/c.sock' },
      disabled_plugins: expect.arrayContaining(['io.containerd.grpc.v1.cri']),
    });
  });

  it('puts a plugin in the place of the built-in content store', () => {
    const config = parse(containerdConfig({ ...BASE, version: '2.1', plugin: { address: '/run/x.sock' } }));
    expect(config).toMatchObject({
      version: 3,
      disabled_plugins: expect.arrayContaining(['io.containerd.content.v1.content']),
      proxy_plugins: { shoal: { type: 'content', address: '/run/x.sock' } },
    });
  });

  it('writes CRI settings where each version reads them', () => {
    const settings = { ...BASE, cri: true, discardUnpackedLayers: true, registryConfigPath: '/etc/hosts.d' };
    expect(parse(containerdConfig({ ...settings, version: '1.7' })).plugins).toEqual({
      'io.containerd.grpc.v1.cri': {
        containerd: { snapshotter: 'overlayfs', discard_unpacked_layers: true },
        registry: { config_path: '/etc/hosts.d' },
      },
    });
    expect(parse(containerdConfig({ ...settings, version: '2.1' })).plugins).toEqual({
      'io.containerd.cri.v1.images': {
        snapshotter: 'overlayfs',
        discard_unpacked_layers: true,
        registry: { config_path: '/etc/hosts.d' },
      },
    });
  });

  it('writes the content sharing policy for the metadata store', () => {
    const config = parse(containerdConfig({ ...BASE, version: '1.6', contentSharing: 'isolated' }));
    expect(config.plugins).toEqual({ 'io.containerd.metadata.v1.bolt': { content_sharing_policy: 'isolated' } });
  });
});
