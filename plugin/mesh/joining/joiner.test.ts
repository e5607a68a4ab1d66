import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../../core/runtime/clock.ts';
import { silentMeshEvents } from '../fakes/silent-mesh-events.ts';
import type { Endpoint } from '../net/transport.ts';
import type { JoinAddress, NameResolver } from './join-addresses.ts';
import { resolveJoin } from './join-addresses.ts';
import { Joiner } from './joiner.ts';

const RESOLVER: NameResolver = {
  addresses: async (name) => {
    if (name === 'both.test') return ['10.0.0.1', '::ffff:10.0.0.2', '10.0.0.1'];
    if (name === 'one.test') return ['10.0.0.3'];
    throw new Error(`${name} is not there`);
  },
  services: async (name) => {
    if (name !== '_gossip._tcp.test') throw new Error(`${name} is not there`);
    return [
      { name: 'one.test', port: 1 },
      { name: 'gone.test', port: 2 },
    ];
  },
};
const address = (host: string, port: number): JoinAddress => ({ kind: 'address', address: { host, port } });

describe('resolveJoin()', () => {
  it('gives every address of names and services once, and notes what fails', async () => {
    const { endpoints, failures } = await resolveJoin(
      [
        address('10.0.0.1', 7946),
        address('one.test', 9),
        { kind: 'dns', name: 'both.test', port: 7946 },
        { kind: 'dns', name: 'gone.test', port: 7946 },
        { kind: 'srv', name: '_gossip._tcp.test' },
      ],
      RESOLVER,
    );
    expect(endpoints.map((endpoint) => `${endpoint.address} ${endpoint.port}`)).toEqual([
      '10.0.0.1 7946',
      '10.0.0.3 9',
      '10.0.0.2 7946',
      '10.0.0.3 1',
    ]);
    expect(failures).toHaveLength(1);
  });
});

describe('Joiner', () => {
  /** Runs until it has slept `rounds` times; `answersFrom` is the attempt that succeeds. */
  async function run({
    rounds,
    answersFrom,
    addresses,
  }: {
    rounds: number;
    answersFrom: number;
    addresses: JoinAddress[];
  }) {
    const waitsMs: number[] = [];
    const joined: Endpoint[] = [];
    const warned: number[] = [];
    let attempts = 0;
    const abort = new AbortController();
    const clock: Clock = {
      now: () => 0,
      monotonicMs: () => 0,
      sleep: (ms, options) => {
        // Not the deadline of look-ups.
        if (ms === 10_000) return new Promise((_, reject) => options?.signal?.addEventListener('abort', reject));
        waitsMs.push(ms);
        if (waitsMs.length === rounds) abort.abort();
        return Promise.resolve();
      },
    };
    const joiner = new Joiner({
      addresses,
      resolver: RESOLVER,
      join: async (to) => {
        attempts += 1;
        if (attempts < answersFrom) throw new Error('refused');
        joined.push(to);
      },
      isMember: (endpoint) => endpoint.address === '10.0.0.9' || joined.includes(endpoint),
      isAlone: () => joined.length === 0,
      clock,
      random: () => 0.999_999,
      events: { ...silentMeshEvents, joinFailed: ({ failures }) => void warned.push(failures) },
    });
    await joiner.run({ signal: abort.signal });
    return { waitsMs, joined, warned, attempts };
  }

  it('run() tries for ever with back-off until somebody answers, then looks more rarely', async () => {
    const { waitsMs, joined, warned } = await run({
      rounds: 8,
      answersFrom: 8,
      addresses: [address('10.0.0.1', 7946)],
    });
    expect(waitsMs).toEqual([1_249, 2_249, 4_249, 8_249, 16_249, 30_249, 30_249, 60_000]);
    expect([joined.length, warned]).toEqual([1, [1, 2, 3, 4, 5, 6, 7]]);
  });

  it('run() is content when only ourselves are configured, and ends at once without addresses', async () => {
    const own = await run({ rounds: 2, answersFrom: 1, addresses: [address('10.0.0.9', 7946)] });
    expect(own).toEqual({ waitsMs: [60_000, 60_000], joined: [], warned: [], attempts: 0 });
    expect((await run({ rounds: 1, answersFrom: 1, addresses: [] })).waitsMs).toEqual([]);
  });

  it('run() tries again when names do not resolve', async () => {
    const { warned } = await run({
      rounds: 3,
      answersFrom: 1,
      addresses: [{ kind: 'dns', name: 'gone.test', port: 1 }],
    });
    expect(warned).toEqual([1, 2, 3]);
  });
});
