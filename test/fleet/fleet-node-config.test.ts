import { describe, expect, it } from '@jest/globals';
import { parseNodeConfig } from '../../plugin/config.ts';
import { planNodes } from './address-plan.ts';
import { fleetNodeConfig } from './fleet-node-config.ts';

describe('fleetNodeConfig()', () => {
  it('is a configuration that a node takes, sealed and with the watching kept off the shaped link', () => {
    const [machine, other] = planNodes(2);
    if (machine === undefined || other === undefined) throw new Error('The plan has too few nodes');
    const text = fleetNodeConfig({
      machine,
      directory: '/run/x',
      join: [machine, other],
      preset: 'local',
      keyFile: '/run/key',
      tokenFile: '/run/token',
      registryHost: '10.77.0.2:5000',
      giveUp: '15s',
      logLevel: 'info',
    });
    const config = parseNodeConfig({ text, file: 'shoal.toml', env: {}, hostName: 'other' });
    expect(config.node.name).toBe('node-00');
    expect(config.mesh).toMatchObject({
      enabled: true,
      preset: 'local',
      keyFile: '/run/key',
      bind: { host: machine.address, port: 7946 },
      join: [{ address: { host: machine.address } }, { address: { host: other.address } }],
    });
    expect(config.peer.listen).toMatchObject({ host: machine.address });
    expect(config.admin.listen).toMatchObject({ host: machine.watchAddress });
    expect(config.content).toMatchObject({ socket: undefined, containerd: undefined, claimGiveUpMs: 15_000 });
    expect(config.upstream.registries).toMatchObject([{ endpoint: 'http://10.77.0.2:5000' }]);
  });
});
