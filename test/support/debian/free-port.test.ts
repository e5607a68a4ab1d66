import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { freePort } from './free-port.ts';

describe('Free ports', () => {
  it('no call gets what another has got, and the kernel gives none of them to a connection', async () => {
    const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '32768 60999');
    const [kernelFirst = 0, kernelLast = 0] = range.trim().split(/\s+/).map(Number);
    const ports = await Promise.all(Array.from({ length: 200 }, freePort));
    expect(new Set(ports).size).toBe(ports.length);
    expect(ports.filter((port) => port >= kernelFirst && port <= kernelLast)).toEqual([]);
  });

  it('one that is taken is passed over', async () => {
    const before = await freePort();
    const taken = createServer().listen(before + 1, '127.0.0.1');
    await once(taken, 'listening');
    try {
      expect(await freePort()).not.toBe(before + 1);
    } finally {
      taken.close();
    }
  });
});
