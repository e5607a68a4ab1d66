import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../../core/runtime/clock.ts';
import { eventually } from '../../../../test/support/debian/eventually.ts';
import { type ClientSetup, setUpClient } from '../../../../test/support/kubernetes/client-setup.ts';
import type { SeenRequest } from '../../../../test/support/kubernetes/stand-in.ts';
import { type HeldLease, KubernetesLease } from './kubernetes-lease.ts';
import { readLease } from './lease-record.ts';

const LEASES = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases' };
const LIST = '/apis/coordination.k8s.io/v1/leases';
const NAME = { namespace: 'shoal', name: 'warmer' };
const TIMES = { durationMs: 1_000, renewDeadlineMs: 600, retryMs: 50 };
const { signal } = new AbortController();
const isWrite = ({ method }: SeenRequest) => method !== 'GET';

const leaseFor = ({ client }: ClientSetup, holder: string, more: object = {}) =>
  new KubernetesLease({ client, clock: systemClock, random: Math.random }, { ...NAME, ...TIMES, holder, ...more });
const recordOf = ({ server }: ClientSetup) => readLease(server.store.get(LIST, NAME));

async function held(lease: KubernetesLease, waitMs = 0): Promise<HeldLease> {
  const attempt = await lease.acquire({ waitMs, signal });
  if (attempt.kind !== 'held') throw new Error(`It is held by ${attempt.holder}`);
  return attempt.lease;
}

describe('KubernetesLease', () => {
  it('acquire() makes it, renews it, and lets nobody else have it until it is given back', async () => {
    await using setup = await setUpClient([LEASES]);
    const first = await held(leaseFor(setup, 'one'));
    const { renewTime } = recordOf(setup);
    const other = leaseFor(setup, 'two');
    expect(await other.acquire({ waitMs: 1_500, signal })).toEqual({ kind: 'taken', holder: 'one' });
    expect(recordOf(setup)).toMatchObject({ holder: 'one', transitions: 0 });
    expect(recordOf(setup).renewTime).not.toBe(renewTime);
    await first.release();
    await first.release();
    expect(recordOf(setup)).toMatchObject({ holder: '', durationMs: 1_000 });
    expect(first.lost.aborted).toBe(false);
    await using second = await held(other);
    expect(recordOf(setup)).toMatchObject({ holder: 'two', transitions: 1 });
    expect(second.lost.aborted).toBe(false);
  });

  it('acquire() takes it from a holder that has died, after waiting out its lease, not after its clock', async () => {
    await using setup = await setUpClient([LEASES]);
    const spec = {
      holderIdentity: 'dead',
      leaseDurationSeconds: 1,
      renewTime: '2099-01-01T00:00:00.000000Z',
      leaseTransitions: 5,
    };
    setup.server.store.set(LIST, { metadata: NAME, spec });
    expect(await leaseFor(setup, 'hasty').acquire({ waitMs: 0, signal })).toEqual({ kind: 'taken', holder: 'dead' });
    const startMs = performance.now();
    await using lease = await held(leaseFor(setup, 'patient'), 5_000);
    expect(performance.now() - startMs).toBeGreaterThan(900);
    expect(recordOf(setup)).toMatchObject({ holder: 'patient', transitions: 6 });
    expect(lease.lost.aborted).toBe(false);
  });

  it('acquire() gives it to one of many who come at once', async () => {
    await using setup = await setUpClient([LEASES]);
    const names = Array.from({ length: 8 }, (_, index) => `w-${index}`);
    const attempts = await Promise.all(names.map((name) => leaseFor(setup, name).acquire({ waitMs: 0, signal })));
    const winners = attempts.filter(({ kind }) => kind === 'held');
    expect(winners).toHaveLength(1);
    for (const winner of winners) if (winner.kind === 'held') await winner.lease.release();
  });

  it('lost is told when it cannot be renewed in time, before others may have it', async () => {
    await using setup = await setUpClient([LEASES]);
    const lease = await held(leaseFor(setup, 'one'));
    const lastMs = performance.now();
    setup.server.fault(isWrite, { kind: 'silent' }, 1_000);
    await eventually(async () => lease.lost.aborted, Boolean);
    expect(performance.now() - lastMs).toBeLessThan(TIMES.durationMs);
    expect(String(lease.lost.reason)).toMatch(/Lease "warmer" is lost: it was not renewed in 600 ms/);
    await lease.release();
  });

  it('lost is not told of hindrances that pass', async () => {
    await using setup = await setUpClient([LEASES]);
    await using lease = await held(leaseFor(setup, 'one'));
    setup.server.fault(isWrite, { kind: 'status', status: 500 }, 2);
    setup.server.fault(isWrite, { kind: 'status', status: 409 }, 2);
    setup.server.fault(() => true, { kind: 'status', status: 429, headers: { 'retry-after': '0' } }, 2);
    const before = setup.server.requests.length;
    await eventually(
      async () => setup.server.requests.length,
      (count) => count > before + 14,
    );
    expect(lease.lost.aborted).toBe(false);
  });

  it('lost is told at once when somebody else has it', async () => {
    await using setup = await setUpClient([LEASES]);
    const lease = await held(leaseFor(setup, 'one'));
    const spec = { holderIdentity: 'thief', leaseDurationSeconds: 60 };
    setup.server.store.set(LIST, { metadata: NAME, spec });
    await eventually(async () => lease.lost.aborted, Boolean);
    expect(String(lease.lost.reason)).toMatch(/"thief" holds it/);
    await lease.release();
    expect(recordOf(setup).holder).toBe('thief');
  });

  it('acquire() waits for an API that is away for a moment, when it has time', async () => {
    await using setup = await setUpClient([LEASES]);
    setup.server.fault(isWrite, { kind: 'status', status: 503 }, 2);
    await expect(leaseFor(setup, 'one').acquire({ waitMs: 0, signal })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await using lease = await held(leaseFor(setup, 'one'), 5_000);
    expect(lease.lost.aborted).toBe(false);
  });

  it('acquire() throws when it may not ask', async () => {
    await using setup = await setUpClient([LEASES]);
    setup.server.fault(() => true, { kind: 'status', status: 403 });
    await expect(leaseFor(setup, 'one').acquire({ waitMs: 0, signal })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });

  it('refuses times that cannot work', async () => {
    await using setup = await setUpClient([LEASES]);
    expect(() => leaseFor(setup, 'one', { renewDeadlineMs: 1_000 })).toThrow(/A lease lasts longer/);
    expect(() => leaseFor(setup, 'one', { retryMs: 590 })).toThrow(/A lease lasts longer/);
  });
});
