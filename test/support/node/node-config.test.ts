import { describe, expect, it } from '@jest/globals';
import { parseNodeConfig } from '../../../plugin/config.ts';
import { nodeConfigText } from './node-config.ts';

const parse = (text: string) => parseNodeConfig({ text, file: 'shoal.toml', env: {}, hostName: 'host' });

const BASE = { directory: '/tmp/a "quoted" node', adminPort: 4711, registries: [] };

describe('nodeConfigText()', () => {
  it('is a configuration that the node takes, with nothing open but on loopback', () => {
    const config = parse(nodeConfigText({ ...BASE, containerdSocket: '/tmp/c.sock', claimGiveUp: '2s' }));
    expect(config.content).toMatchObject({
      ...{ socket: '/tmp/a "quoted" node/content.sock', root: '/tmp/a "quoted" node/content' },
      ...{ containerd: '/tmp/c.sock', claim: 'fleet', claimGiveUpMs: 2000 },
    });
    expect(config.mesh.enabled).toBe(false);
    expect(config.mirror.listen).toBeUndefined();
    expect(config.admin.listen).toEqual({ host: '127.0.0.1', port: 4711 });
  });

  it('claims only what is on this disk when there is no containerd to call', () => {
    const config = parse(nodeConfigText({ ...BASE, contentRoot: '/tmp/taken-over' }));
    expect(config.content).toMatchObject({ root: '/tmp/taken-over', claim: 'local', containerd: undefined });
  });

  it('names every registry with its own endpoint', () => {
    const registries = [1, 2].map((n) => ({ host: `127.0.0.1:${n}`, url: `http://127.0.0.1:${n}` }));
    const config = parse(nodeConfigText({ ...BASE, registries }));
    expect(config.upstream.registries).toMatchObject(registries.map(({ host, url }) => ({ host, endpoint: url })));
  });
});
