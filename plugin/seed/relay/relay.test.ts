import { describe, expect, it } from '@jest/globals';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { PeerCalls, PeerMethod } from '../../peer/peer.ts';
import type { SwarmMember } from '../../providers/providers.ts';
import { FakeNode } from '../fakes/fake-node.ts';
import { SeedWorld } from '../../../test/support/seed/seed-world.ts';
import { PullToken } from '../pull-token.ts';
import type { SeedOrder } from '../seed.ts';
import { seedingService } from './answer-members.ts';
import { orderMessage, readOrder } from './order-messages.ts';
import { RemoteSeeding } from './remote-seeding.ts';
import { seedingMethods } from './seeding-methods.ts';

const quiet = { signal: new AbortController().signal };
const ASKER: SwarmMember = { name: 'asker', host: '10.0.0.1', port: 1, zone: '', mode: 'full' };

/** Messages travel as bytes, from one caller to one node. */
function wired(node: FakeNode, { caller = 'asker' } = {}): { calls: PeerCalls; bytes: Buffer[] } {
  const { handlers } = seedingService(node, () => [ASKER]);
  const bytes: Buffer[] = [];
  const call = async (_peer: object, method: PeerMethod, request: object) => {
    const found = handlers.find((one) => one.method.path === method.path);
    if (found === undefined) throw new CodedError('FAILED_PRECONDITION', 'No such call');
    const message = method.requestSerialize(request);
    bytes.push(message);
    const reply = await found.handler(method.requestDeserialize(message), { peer: caller, signal: quiet.signal });
    return method.responseDeserialize(method.responseSerialize(reply));
  };
  return { calls: { call }, bytes };
}

function orderWithToken(world: SeedWorld): SeedOrder {
  const image = { ...world.image('app', ['one']), token: new PullToken('s3cret-token', world.clock.now() + 60_000) };
  const platforms = [{ os: 'linux', architecture: 'arm64', variant: 'v8' }];
  return world.order([{ ...image, platforms }], { level: 'image', maxBytes: 77 });
}

function remote(calls: PeerCalls, { isSealed, host = '10.0.0.2' }: { isSealed: boolean; host?: string }) {
  const withheld: string[] = [];
  const events = { tokensWithheld: ({ node }: { node: string }) => void withheld.push(node) };
  const node = new RemoteSeeding({ self: 'asker', calls, isSealed, events }, { name: 'there', host, port: 2 });
  return { node, withheld };
}

describe('RemoteSeeding', () => {
  it('an order arrives as it was sent', async () => {
    const world = new SeedWorld();
    const there = new FakeNode();
    const { calls } = wired(there);
    const order = orderWithToken(world);
    await remote(calls, { isSealed: true }).node.begin(order, quiet);
    const [begun] = there.begun;
    expect(begun?.images[0]?.token?.reveal()).toBe('s3cret-token');
    const plain = (one: SeedOrder | undefined) => ({
      ...one,
      images: one?.images.map(({ platforms: _platforms, manifests, ...image }) => ({
        ...image,
        manifests: manifests.map((manifest) => ({ ...manifest, bytes: String(manifest.bytes) })),
      })),
    });
    expect(plain(begun)).toEqual(plain(order));
    expect(begun?.images[0]?.platforms).toMatchObject([{ os: 'linux', architecture: 'arm64' }]);
  });

  it.each([
    [true, '10.0.0.2', true],
    [false, '127.0.0.1', true],
    [false, '::1', true],
    [false, '10.0.0.2', false],
    [false, 'localhost.example', false],
  ])('begin() with sealed %j to %s carries tokens: %j', async (isSealed, host, isCarried) => {
    const { calls, bytes } = wired(new FakeNode());
    const { node, withheld } = remote(calls, { isSealed, host });
    await node.begin(orderWithToken(new SeedWorld()), quiet);
    expect(bytes.some((message) => message.includes('s3cret-token'))).toBe(isCarried);
    expect(withheld).toEqual(isCarried ? [] : ['there']);
  });

  it('watch(), facts() and presence() come back as they were said', async () => {
    const there = new FakeNode();
    const { node } = remote(wired(there).calls, { isSealed: true });
    const order = orderWithToken(new SeedWorld());
    await node.begin(order, quiet);
    const said = await there.watch({ id: order.id });
    const heard = await node.watch({ id: order.id, revision: 0, waitMs: 1 }, quiet);
    expect(heard).toMatchObject(said);
    expect(await node.facts(quiet)).toEqual(await there.facts());
    expect([
      ...(await node.presence(
        [order.images[0]?.digest].flatMap((one) => one ?? []),
        quiet,
      )),
    ]).toEqual([0x80]);
    await node.cancel(order.id, quiet);
    expect(there.cancelled).toEqual([order.id]);
  });

  it('refusals are rejections: the port has nobody to catch what is thrown at once', async () => {
    const { handlers } = seedingService(new FakeNode(), () => [ASKER]);
    for (const { method, handler } of handlers) {
      if (method.path.endsWith('Presence') || method.path.endsWith('Facts')) continue;
      const answer = handler({}, { peer: '10.9.9.9:5', signal: quiet.signal });
      await expect(answer).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
  });

  it('strangers begin nothing', async () => {
    const there = new FakeNode();
    const { node } = remote(wired(there, { caller: '10.9.9.9:5' }).calls, { isSealed: true });
    await expect(node.begin(orderWithToken(new SeedWorld()), quiet)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(there.begun).toEqual([]);
  });
});

describe('readOrder()', () => {
  const { startSeed } = seedingMethods();
  const onWire = (message: object) => startSeed.requestDeserialize(startSeed.requestSerialize(message));
  const good = () => orderMessage(orderWithToken(new SeedWorld()), { from: 'asker', withTokens: true });

  it.each([
    ['no name', { id: '' }],
    ['no pin', { pin: '' }],
    ['an image without digest', { images: [{ ref: 'x' }] }],
    ['a blob with half a digest', { images: [{ digest: Buffer.alloc(32), blobs: [{ digest: Buffer.alloc(16) }] }] }],
    ['too many images', { images: Array.from({ length: 1_001 }, () => ({ digest: Buffer.alloc(32) })) }],
  ])('refuses %s', (_what, change) => {
    expect(() => readOrder(onWire({ ...good(), ...change }))).toThrow(/Seed is refused/);
  });

  it('keeps numbers within their bounds', () => {
    const order = readOrder(onWire({ ...good(), parallelBlobs: 100_000, deadlineMs: 0 }));
    expect(order).toMatchObject({ parallelBlobs: 256, deadlineMs: 1 });
  });
});

describe('PullToken', () => {
  it('does not show itself', () => {
    const token = new PullToken('s3cret', 1);
    expect(JSON.stringify({ token })).not.toContain('s3cret');
    expect(`${token}`).not.toContain('s3cret');
  });
});
