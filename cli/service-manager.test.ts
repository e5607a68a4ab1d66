import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../core/runtime/log.ts';
import { createServiceManager, watchdogIntervalMs } from './service-manager.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('createServiceManager()', () => {
  it('says nothing when nobody listens', async () => {
    const sent: unknown[] = [];
    const manager = createServiceManager({
      env: { WATCHDOG_USEC: '200000' },
      pid: 7,
      log: silentLogger,
      send: async (told) => void sent.push(told),
    });
    manager.ready();
    manager.stopping();
    await settled();
    expect(sent).toEqual([]);
  });

  it('tells in order, even when telling takes time, and beats for the watchdog', async () => {
    const sent: string[] = [];
    const manager = createServiceManager({
      env: { NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '200000', WATCHDOG_PID: '7' },
      pid: 7,
      log: silentLogger,
      send: async (told) => {
        await new Promise((resolve) => setTimeout(resolve, told[0] === 'READY=1' ? 50 : 0));
        sent.push(told[0] ?? '');
      },
    });
    manager.ready();
    manager.reloading();
    await new Promise((resolve) => setTimeout(resolve, 350));
    manager.close();
    manager.stopping();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sent.slice(0, 2)).toEqual(['READY=1', 'RELOADING=1']);
    expect(sent.filter((word) => word === 'WATCHDOG=1').length).toBeGreaterThanOrEqual(2);
    expect(sent.at(-1)).toBe('STOPPING=1');
  });

  it('a message that cannot be passed on is logged and nothing else', async () => {
    const warned: string[] = [];
    const manager = createServiceManager({
      env: { NOTIFY_SOCKET: '/n' },
      pid: 7,
      log: { ...silentLogger, warn: (_fields, text) => void warned.push(text) },
      send: async () => {
        throw new Error('spawn systemd-notify ENOENT');
      },
    });
    manager.ready();
    await settled();
    await settled();
    expect(warned).toEqual(['Service manager could not be told']);
  });
});

describe('watchdogIntervalMs()', () => {
  it('is half of what is allowed, for this process only', () => {
    expect(watchdogIntervalMs({ WATCHDOG_USEC: '30000000' }, 7)).toBe(15_000);
    expect(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 7)).toBe(15_000);
    expect(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7)).toBeUndefined();
    expect(watchdogIntervalMs({}, 7)).toBeUndefined();
    expect(watchdogIntervalMs({ WATCHDOG_USEC: 'x' }, 7)).toBeUndefined();
  });
});
