import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type ClientSetup, DEPLOYMENTS, setUpClient } from '../../../../test/support/kubernetes/client-setup.ts';
import { eventually } from '../../../../test/support/debian/eventually.ts';
import { listOf, type SeenRequest } from '../../../../test/support/kubernetes/stand-in.ts';
import { codeOf } from '../../../../core/runtime/errors.ts';
import { Semaphore } from '../../../../core/runtime/semaphore.ts';
import { textField } from '../../extract/values.ts';
import { listingsOf } from '../api/resource.ts';
import { Reflector } from './reflector.ts';

const LIST = listOf(DEPLOYMENTS);
const isWatch = ({ query }: SeenRequest) => query.get('watch') === 'true';

interface Followed extends AsyncDisposable {
  readonly setup: ClientSetup;
  readonly reflector: Reflector;
  readonly failures: string[];
  readonly changes: { count: number };
  names(): string[];
  /** Requests: `list`, or `watch` with the version from which it begins. */
  asked(): string[];
}

async function follow(
  prepare: (setup: ClientSetup) => void = () => undefined,
  options: { idleMs?: number } = {},
): Promise<Followed> {
  const setup = await setUpClient([DEPLOYMENTS], options);
  setup.server.store.set(LIST, deployment('first', 1));
  prepare(setup);
  const [listing] = listingsOf(DEPLOYMENTS, { namespaces: [], selector: undefined });
  if (listing === undefined) throw new Error('no listing');
  const failures: string[] = [];
  const changes = { count: 0 };
  const deps = {
    client: setup.client,
    clock: setup.clock,
    random: () => 0.5,
    lists: new Semaphore({ permits: 1, waitersMax: 1 }),
    onChange: () => {
      changes.count += 1;
    },
    onFailure: (_: unknown, error: unknown) => void failures.push(codeOf(error)),
    keep: (object: Readonly<Record<string, unknown>>) => object,
  };
  const reflector = new Reflector(deps, listing);
  const life = new AbortController();
  const done = reflector.run({ signal: life.signal });
  await reflector.attempted;
  const dispose = async () => {
    life.abort();
    await done;
    await setup[Symbol.asyncDispose]();
  };
  const names = () =>
    [...reflector.objects()].map((one) => `${textField(one, 'metadata', 'name')}:${textField(one, 'text')}`).sort();
  const asked = () =>
    setup.server.requests.map((request) =>
      isWatch(request) ? `watch ${request.query.get('resourceVersion')}` : 'list',
    );
  return { setup, reflector, failures, changes, names, asked, [Symbol.asyncDispose]: dispose };
}

const deployment = (name: string, text: number) => ({ metadata: { name, namespace: 'shop' }, text: String(text) });
const isFollowing = (followed: Followed) =>
  eventually(async () => followed.asked().some((one) => one.startsWith('watch')), Boolean);

describe('Reflector', () => {
  it('run() lists, watches from the version of the list, and takes what comes, changes and goes', async () => {
    await using followed = await follow();
    const { store } = followed.setup.server;
    await isFollowing(followed);
    store.set(LIST, deployment('second', 1));
    store.set(LIST, deployment('first', 2));
    await eventually(
      async () => followed.names(),
      (names) => names.join() === 'first:2,second:1',
    );
    store.delete(LIST, { namespace: 'shop', name: 'first' });
    await eventually(
      async () => followed.names(),
      (names) => names.join() === 'second:1',
    );
    expect(followed.asked()).toEqual(['list', 'watch 2']);
    expect(followed.changes.count).toBe(4);
    // Nothing but its version is new: nobody is told.
    store.set(LIST, deployment('second', 1));
    await eventually(
      async () => [...followed.reflector.objects()][0],
      (one) => textField(one, 'metadata', 'resourceVersion') === '6',
    );
    expect(followed.changes.count).toBe(4);
  });

  it('run() goes on from where it was when the server ends the watch, also within an event', async () => {
    await using followed = await follow();
    const { server } = followed.setup;
    await isFollowing(followed);
    server.store.set(LIST, deployment('second', 1));
    await eventually(
      async () => followed.names().length,
      (count) => count === 2,
    );
    server.endWatches({ isCut: true });
    await eventually(
      async () => followed.asked().at(-1),
      (last) => last === 'watch 3',
    );
    server.endWatches();
    server.store.set(LIST, deployment('third', 1));
    await eventually(
      async () => followed.names().length,
      (count) => count === 3,
    );
    expect(followed.asked().filter((one) => one === 'list')).toHaveLength(1);
    expect(followed.failures).toEqual(['UNAVAILABLE']);
    expect(followed.reflector.failure).toBeUndefined();
  });

  it('run() does not take silence for a broken watch', async () => {
    await using followed = await follow(() => undefined, { idleMs: 100 });
    await isFollowing(followed);
    await sleep(500);
    followed.setup.server.store.set(LIST, deployment('second', 1));
    await eventually(
      async () => followed.names().length,
      (count) => count === 2,
    );
    expect(followed.asked()).toEqual(['list', 'watch 2']);
    expect(followed.failures).toEqual([]);
  });

  it('run() learns the version from a bookmark', async () => {
    await using followed = await follow();
    const { server } = followed.setup;
    await isFollowing(followed);
    for (let index = 0; index < 20; index += 1) server.store.set('/api/v1/pods', { metadata: { name: `p-${index}` } });
    await eventually(
      async () => {
        server.bookmark();
        server.endWatches();
        return followed.asked().at(-1);
      },
      (last) => last === 'watch 22',
    );
    expect(followed.asked().filter((one) => one === 'list')).toHaveLength(1);
  });

  it('run() lists again when its version is too old', async () => {
    await using followed = await follow();
    const { server } = followed.setup;
    await isFollowing(followed);
    server.store.delete(LIST, { namespace: 'shop', name: 'first' });
    await eventually(
      async () => followed.names().length,
      (count) => count === 0,
    );
    server.fault(isWatch, { kind: 'status', status: 503 });
    server.endWatches();
    server.store.set(LIST, deployment('second', 1));
    server.store.compact();
    await eventually(
      async () => followed.names(),
      (names) => names.join() === 'second:1',
    );
    expect(followed.failures).toContain('OUT_OF_RANGE');
    expect(followed.asked().filter((one) => one === 'list')).toHaveLength(2);
  });

  it.each([
    ['broken JSON', { kind: 'text', text: '{"type":"ADDED"\n' } as const],
    ['an event of nothing', { kind: 'text', text: '{"type":"ADDED","object":{}}\n' } as const],
    [
      'an event of no known type',
      { kind: 'text', text: '{"type":"MOVED","object":{"metadata":{"resourceVersion":"9"}}}\n' } as const,
    ],
    ['a line without end', { kind: 'text', text: 'x'.repeat(9 * 1024 * 1024) } as const],
  ])('run() lists again after %s', async (_, fault) => {
    await using followed = await follow(({ server }) => server.fault(isWatch, fault));
    await eventually(
      async () => followed.asked().filter((one) => one === 'list').length,
      (count) => count === 2,
    );
    expect(followed.names()).toEqual(['first:1']);
  });

  it('run() waits longer and longer for a server that ends watches at once, and asks again slowly for what is forbidden', async () => {
    await using followed = await follow(({ server }) => {
      server.fault(isWatch, { kind: 'text', text: '' }, 3);
      server.fault(isWatch, { kind: 'status', status: 403 }, 1);
    });
    await eventually(
      async () => followed.setup.waits.length,
      (count) => count >= 4,
    );
    expect(followed.setup.waits.slice(0, 4)).toEqual([400, 800, 1600, 225_000]);
  });

  it('run() comes back soon after a 401, which may pass', async () => {
    await using followed = await follow(({ server }) => server.fault(isWatch, { kind: 'status', status: 401 }, 2));
    await eventually(
      async () => followed.setup.waits.length,
      (count) => count >= 1,
    );
    expect(followed.setup.waits[0]).toBe(400);
    expect(followed.failures).toEqual(['UNAUTHENTICATED']);
  });

  it('run() tells of a list that cannot be had, and keeps trying', async () => {
    await using followed = await follow(({ server }) =>
      server.fault((one) => !isWatch(one), { kind: 'status', status: 403 }, 2),
    );
    expect(codeOf(followed.reflector.failure)).toBe('PERMISSION_DENIED');
    await eventually(
      async () => followed.names(),
      (names) => names.length === 1,
    );
    expect(followed.reflector.failure).toBeUndefined();
  });
});
