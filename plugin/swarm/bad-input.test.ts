/** Whatever another member sends: no handler throws anything but a coded refusal, and nothing grows beyond its bound. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../core/oci/digest.ts';
import { isCode } from '../../core/runtime/errors.ts';
import type { PeerService } from '../providers/providers.ts';
import { digestBytes } from '../providers/wire-fields.ts';
import { BYTES, createHoldingNode, HELD } from '../../test/support/swarm/holding-node.ts';
import { RECORDS_PER_MEMBER_MAX } from './owner-desk.ts';

const REFUSALS = [
  'INVALID_ARGUMENT',
  'PERMISSION_DENIED',
  'NOT_FOUND',
  'FAILED_PRECONDITION',
  'RESOURCE_EXHAUSTED',
] as const;
const bytes = fc.uint8Array({ maxLength: 64 }).map((value) => Buffer.from(value));
const anyField = fc.oneof(
  fc.anything(),
  bytes,
  fc.integer(),
  fc.string(),
  fc.boolean(),
  fc.constant(digestBytes(HELD)),
  fc.array(
    fc.oneof(
      fc.integer(),
      bytes,
      fc.dictionary(
        fc.constantFrom('piece', 'sha256', 'witness', 'depth', 'digest', 'state', 'reason', 'pieces'),
        fc.oneof(fc.integer(), bytes, fc.string()),
      ),
    ),
  ),
);
const FIELDS = [
  'from',
  'digest',
  'size',
  'epoch',
  'have',
  'canRead',
  'leasesWanted',
  'leased',
  'returned',
  'vouches',
  'vouchesSeen',
  'disputed',
  'leaving',
  'stuck',
  'slow',
  'arriving',
  'proven',
  'holdings',
  'digests',
];
const valid = {
  from: 'peer',
  digest: digestBytes(HELD),
  size: BYTES.length,
  have: Buffer.alloc(1),
  leasesWanted: 1,
  canRead: true,
};
const message = fc.oneof(
  fc.dictionary(fc.constantFrom(...FIELDS), anyField),
  fc.dictionary(fc.constantFrom(...FIELDS), anyField).map((some) => ({ ...valid, ...some })),
);

async function tell({ handlers }: PeerService, request: object, peer = 'peer'): Promise<void> {
  for (const { method, handler } of handlers) {
    try {
      const answer = await handler(request, { peer, signal: new AbortController().signal });
      method.responseSerialize(answer);
    } catch (error) {
      if (!isCode(error, ...REFUSALS)) throw error;
    }
  }
}

describe('bad input', () => {
  it('handlers answer or refuse any message', async () => {
    const { providers, swarm } = createHoldingNode();
    await fc.assert(
      fc.asyncProperty(message, async (request) => {
        await tell(providers, request);
        await tell(swarm, request);
      }),
      { numRuns: 50_000 },
    );
  });

  it('handlers answer or refuse what random bytes decode to', async () => {
    const { providers, swarm } = createHoldingNode();
    const whole = swarm.handlers[0]?.method.requestSerialize(valid) ?? Buffer.alloc(0);
    const mutated = fc
      .tuple(fc.nat({ max: whole.length - 1 }), bytes)
      .map(([at, some]) => Buffer.concat([whole.subarray(0, at), some, whole.subarray(at)]));
    await fc.assert(
      fc.asyncProperty(fc.oneof(bytes, mutated), async (wire) => {
        for (const service of [providers, swarm]) {
          for (const { method } of service.handlers) {
            let request: object;
            try {
              request = method.requestDeserialize(wire);
            } catch {
              continue;
            }
            await tell(service, request);
          }
        }
      }),
      { numRuns: 50_000 },
    );
  });

  it('handlers refuse who is no member', async () => {
    const { providers, swarm } = createHoldingNode();
    const [announce] = providers.handlers;
    const call = { peer: 'stranger', signal: new AbortController().signal };
    const requests = [{ ...valid, from: 'stranger' }, valid];
    for (const request of requests) {
      for (const { handler } of [announce, ...swarm.handlers].flatMap((one) => one ?? [])) {
        await expect(handler(request, call)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      }
    }
  });

  it('one member cannot begin swarms without end', async () => {
    const { swarm } = createHoldingNode();
    const coordinate = swarm.handlers[0]?.handler;
    const refusals: unknown[] = [];
    for (let at = 0; at < RECORDS_PER_MEMBER_MAX + 50; at += 1) {
      const request = { ...valid, digest: digestBytes(digestOf(`blob ${at}`)) };
      const asked = coordinate?.(request, { peer: 'peer', signal: new AbortController().signal });
      await asked?.catch((error: unknown) => refusals.push(error));
    }
    expect(refusals).toHaveLength(50);
    expect(refusals.every((error) => isCode(error, 'RESOURCE_EXHAUSTED'))).toBe(true);
  });

  it('openRange() gives whole pieces only, and so many at once', async () => {
    const { swarm } = createHoldingNode();
    const signal = new AbortController().signal;
    const open = (start: number, end: number, digest = HELD) =>
      swarm.openRange('peer', { digest, range: { start, end } }, { signal });
    for (const [start, end] of [
      [0, 50],
      [-100, 0],
      [0, 1e9],
      [300, 400],
      [200, 300],
      [100, 100],
      [Number.NaN, 5],
    ] as const) {
      await expect(open(start, end)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    await expect(open(0, 100, digestOf('nobody asked'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const first = await open(0, 100);
    await open(100, 200);
    await expect(open(200, 250)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    const parts: Uint8Array[] = [];
    for await (const chunk of first.chunks) parts.push(chunk);
    expect(await first.sha256).toBe(digestOf(BYTES.subarray(0, 100)).slice('sha256:'.length));
    const last = await open(200, 250);
    for await (const chunk of last.chunks) expect(chunk.length).toBe(50);
  });

  it('openRange() gives its place back when the reader goes', async () => {
    const { swarm } = createHoldingNode();
    for (let at = 0; at < 20; at += 1) {
      const gone = new AbortController();
      await swarm.openRange('peer', { digest: HELD, range: { start: 0, end: 100 } }, { signal: gone.signal });
      gone.abort();
    }
  });
});
