import { isIPv4 } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { HUB_WATCH_ADDRESS, NODES_MAX, planNodes, REGISTRY_MACHINE } from './address-plan.ts';

describe('planNodes()', () => {
  it('gives every machine names and addresses of its own', () => {
    const machines = [REGISTRY_MACHINE, ...planNodes(NODES_MAX)];
    const all = machines.flatMap((machine) => Object.values(machine));
    expect(new Set([...all, HUB_WATCH_ADDRESS]).size).toBe(machines.length * 5 + 1);
    for (const { address, watchAddress } of machines)
      expect([isIPv4(address), isIPv4(watchAddress)]).toEqual([true, true]);
  });

  it('keeps to the kernel’s 15 characters for interfaces', () => {
    for (const { port, watchPort } of planNodes(NODES_MAX)) {
      expect(Math.max(port.length, watchPort.length)).toBeLessThanOrEqual(15);
    }
  });

  it('names nodes so that they sort in order', () => {
    for (const count of [2, 16, 120]) {
      const names = planNodes(count).map(({ name }) => name);
      expect(names.toSorted()).toEqual(names);
    }
  });

  it('refuses more nodes than addresses', () => {
    expect(() => planNodes(NODES_MAX + 1)).toThrow(RangeError);
  });
});
