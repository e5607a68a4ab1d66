import { describe, expect, it } from '@jest/globals';
import { busySeconds, cpuSecondsOf, idleShare, interfaceBytes, machineTicks, memoryOf } from './kernel-counters.ts';

describe('machineTicks()', () => {
  it('adds up the whole machine and counts waiting for the disk as idle', () => {
    const stat = 'cpu  10 1 5 100 20 2 3 4 7 0\ncpu0 5 0 2 50 10 1 1 2 3 0\n';
    expect(machineTicks(stat)).toEqual({ idle: 120, total: 145 });
  });
});

describe('idleShare()', () => {
  it('is the idle part of the time between', () => {
    expect(idleShare({ idle: 100, total: 200 }, { idle: 130, total: 300 })).toBeCloseTo(0.3);
  });

  it('is all of no time', () => {
    expect(idleShare({ idle: 1, total: 2 }, { idle: 1, total: 2 })).toBe(1);
  });
});

describe('busySeconds()', () => {
  it('is everything but the idle time, in seconds', () => {
    expect(busySeconds({ idle: 100, total: 200 }, { idle: 130, total: 330 })).toBe(1);
  });
});

describe('cpuSecondsOf()', () => {
  it('adds user and system time, whatever the command is called', () => {
    const stat = '42 (a) (b c) S 1 42 42 0 -1 4194560 100 0 0 0 250 150 9 9 20 0 11 0 5000';
    expect(cpuSecondsOf(stat)).toBe(4);
  });
});

describe('memoryOf()', () => {
  it('reads the resident size and its peak', () => {
    const status = 'Name:\tnode\nVmHWM:\t  120000 kB\nVmRSS:\t   90000 kB\n';
    expect(memoryOf(status)).toEqual({ rssBytes: 92_160_000, rssPeakBytes: 122_880_000 });
  });

  it('has nothing to say of a zombie', () => {
    expect(memoryOf('Name:\tnode\nState:\tZ (zombie)\n')).toEqual({ rssBytes: 0, rssPeakBytes: 0 });
  });
});

describe('interfaceBytes()', () => {
  const table = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
    'port-reg:    1500       2    0    0    0     0          0         2      274       3    0    0    0     0       0          0',
    '  port-0:      90       1    0    0    0     0          0         0      290       3    0    0    0     0       0          0',
  ].join('\n');

  it('finds an interface whose number touches the colon', () => {
    expect(interfaceBytes(table, 'port-reg')).toEqual({ received: 1500, sent: 274 });
    expect(interfaceBytes(table, 'port-0')).toEqual({ received: 90, sent: 290 });
  });

  it('gives zeros for one that is not there', () => {
    expect(interfaceBytes(table, 'port')).toEqual({ received: 0, sent: 0 });
  });
});
