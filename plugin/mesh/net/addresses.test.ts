import { describe, expect, it } from '@jest/globals';
import type { NetworkInterfaceInfo } from 'node:os';
import { advertisedAddress, bindAddress } from './addresses.ts';

const interfaceOf = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  netmask: '255.0.0.0',
  family: 'IPv4',
  mac: '00:00:00:00:00:00',
  internal,
  cidr: null,
});
const ANY = { host: '0.0.0.0', port: 7946 };

describe('bindAddress()', () => {
  it('keeps to loopback when there is neither a key nor leave to be open', () => {
    expect(bindAddress(ANY, { hasKey: false, isInsecure: false }).address).toBe('127.0.0.1');
    expect(bindAddress({ host: '10.0.0.1', port: 1 }, { hasKey: false, isInsecure: false }).address).toBe('127.0.0.1');
    expect(bindAddress({ host: '127.0.0.9', port: 1 }, { hasKey: false, isInsecure: false }).address).toBe('127.0.0.9');
    expect(bindAddress(ANY, { hasKey: true, isInsecure: false }).address).toBe('0.0.0.0');
    expect(bindAddress(ANY, { hasKey: false, isInsecure: true }).address).toBe('0.0.0.0');
  });

  it('refuses when given a name', () => {
    expect(() => bindAddress({ host: 'node-a', port: 1 }, { hasKey: true, isInsecure: false })).toThrow('node-a');
  });
});

describe('advertisedAddress()', () => {
  const bound = { address: '0.0.0.0', port: 7946 };

  it('prefers what is configured, then what is bound, then a private address of an interface', () => {
    expect(advertisedAddress(bound, { host: '1.2.3.4', port: 0 }, [])).toEqual({ address: '1.2.3.4', port: 7946 });
    expect(advertisedAddress({ ...bound, address: '10.0.0.1' }, undefined, [])).toEqual({
      address: '10.0.0.1',
      port: 7946,
    });
    const interfaces = [interfaceOf('127.0.0.1', true), interfaceOf('8.8.8.8'), interfaceOf('172.20.0.3')];
    expect(advertisedAddress(bound, undefined, interfaces).address).toBe('172.20.0.3');
  });

  it('refuses when there is no address that others could reach', () => {
    expect(() => advertisedAddress(bound, undefined, [interfaceOf('127.0.0.1', true)])).toThrow('mesh.advertise');
  });
});
