import { describe, expect, it } from '@jest/globals';
import { hasPort, hostNameOf } from './host-name.ts';

describe('hostNameOf()', () => {
  it('is the name without port and brackets', () => {
    const names = ['docker.io', 'LOCALHOST:5000', '[::1]:5000', '[::1]', '::1'];
    expect(names.map(hostNameOf)).toEqual(['docker.io', 'localhost', '::1', '::1', '::1']);
  });
});

describe('hasPort()', () => {
  it('tells a port from the end of an IPv6 address', () => {
    expect(['docker.io', 'localhost:5000', '[::1]:5000', '[::1]', '::1'].map(hasPort)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });
});
