import { describe, expect, it } from '@jest/globals';
import { CodedError } from '../../core/runtime/errors.ts';
import { type HeldWork, type WorkLease, withLease } from './work-lease.ts';

const { signal } = new AbortController();

function leaseOf(lost = new AbortController()) {
  let releases = 0;
  const held: HeldWork = {
    lost: lost.signal,
    release: async () => {
      releases += 1;
    },
  };
  const lease: WorkLease = { acquire: async () => ({ kind: 'held', lease: held }) };
  return { lease, releases: () => releases };
}

const onTrouble = () => undefined;

describe('withLease()', () => {
  it('does the work and gives the lease back, also when the work fails', async () => {
    const { lease, releases } = leaseOf();
    expect(await withLease({ lease, onTrouble }, async () => 7, { signal })).toEqual({ kind: 'done', value: 7 });
    const failing = withLease({ lease, onTrouble }, () => Promise.reject(new Error('No')), { signal });
    await expect(failing).rejects.toThrow('No');
    expect(releases()).toBe(2);
  });

  it('leaves the work to whoever has it', async () => {
    const lease: WorkLease = { acquire: async () => ({ kind: 'taken', holder: 'b' }) };
    const work = () => Promise.reject(new Error('Not to be called'));
    expect(await withLease({ lease, onTrouble }, work, { signal })).toEqual({ kind: 'taken', holder: 'b' });
  });

  it('aborts the work when the lease is lost', async () => {
    const lost = new AbortController();
    const { lease } = leaseOf(lost);
    const work = (call: { signal: AbortSignal }) =>
      new Promise<never>((_, reject) => {
        call.signal.addEventListener('abort', () => reject(call.signal.reason));
        lost.abort(new CodedError('FAILED_PRECONDITION', 'b has it'));
      });
    await expect(withLease({ lease, onTrouble }, work, { signal })).rejects.toThrow('b has it');
  });

  it('does the work all the same when nobody keeps the lease', async () => {
    const told: unknown[] = [];
    const lease: WorkLease = { acquire: () => Promise.reject(new CodedError('UNAVAILABLE', 'Nobody')) };
    const done = await withLease({ lease, onTrouble: (error) => told.push(error) }, async () => 1, { signal });
    expect([done.kind, told.length]).toEqual(['done', 1]);
  });
});
