import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import type { Claim } from '../store/claim-store.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { WRITE_ACTION, type WriteRequest } from './content-messages.ts';
import { createWrites } from './rpc-write.ts';

const DATA = Buffer.from('layer');
const DIGEST = digestOf(DATA);
const REF = `k8s.io/3/layer-${DIGEST}`;

interface World {
  /** What `decideLate` says. */
  late?: (write: { ref: string; total: number }, options: { signal: AbortSignal }) => Promise<Claim | undefined>;
  standing?: Claim;
}

function createWorld(world: World = {}) {
  const store = createMemoryStore();
  const arrived: string[] = [];
  const committed: string[] = [];
  const writes = createWrites({
    store,
    content: { arrived: (digest) => arrived.push(digest) },
    claims: {
      committed: (digest, ref) => committed.push(`${ref} ${digest}`),
      decideLate: world.late ?? (async () => undefined),
      asked: () => world.standing,
    },
    log: silentLogger,
  });
  return { store, writes, arrived, committed, world };
}

function request(fields: Partial<WriteRequest>): WriteRequest {
  const nothing = { ref: '', total: 0, expected: '', offset: 0, data: Buffer.alloc(0), labels: undefined };
  return { action: WRITE_ACTION.STAT, ...nothing, ...fields };
}

/** A client that vanishes. */
function never(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
}

describe('commit', () => {
  it('tells of a blob that became whole, also of one that was here already', async () => {
    const { writes, arrived, committed } = createWorld();
    const write = async (ref: string) => {
      const session = writes.open();
      try {
        return await session.handle(request({ action: WRITE_ACTION.COMMIT, ref, data: DATA }));
      } finally {
        await session.close();
      }
    };
    expect(await write('one')).toMatchObject({ digest: DIGEST });
    await expect(write('two')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(arrived).toEqual([DIGEST, DIGEST]);
    expect(committed).toEqual([`one ${DIGEST}`, `two ${DIGEST}`]);
  });
});

describe('a blob that the fleet brings after all', () => {
  const claim: Claim = { digest: DIGEST, size: DATA.length, sources: [], claimedAtMs: 0 };
  const first = request({ ref: REF, total: DATA.length });
  const commit = request({ action: WRITE_ACTION.COMMIT, total: DATA.length, expected: DIGEST });

  it('is said to be written at the second STAT, and committed without a byte', async () => {
    const asked: unknown[] = [];
    const late = async (write: object) => {
      asked.push(write);
      return claim;
    };
    const { writes, store, committed } = createWorld({ late, standing: claim });
    const session = writes.open();
    expect(await session.handle(first)).toMatchObject({ offset: 0 });
    expect(asked).toEqual([]);
    const whole = { offset: DATA.length, total: DATA.length, digest: DIGEST };
    expect(await session.handle(request({}))).toMatchObject(whole);
    expect(await session.handle(request({}))).toMatchObject(whole);
    expect(asked).toEqual([{ ref: REF, total: DATA.length }]);
    expect(await session.handle(commit)).toMatchObject({ offset: DATA.length, digest: DIGEST });
    expect(session.isDone()).toBe(true);
    await session.close();
    expect(await store.ingestStatuses()).toEqual([]);
    // The claim stands until its flight has landed.
    expect(committed).toEqual([]);
  });

  it('gets containerd’s hold when it became whole before the commit', async () => {
    const { writes, store } = createWorld({ late: async () => claim });
    const session = writes.open();
    await session.handle(first);
    await session.handle(request({}));
    const partial = await store.openPartial(DIGEST, DATA.length);
    await partial.write(0, DATA);
    await partial.commit(new Set(['cache']));
    expect(await session.handle(commit)).toMatchObject({ digest: DIGEST });
    expect(store.stat(DIGEST)?.holds.has('containerd')).toBe(true);
    await session.close();
  });

  it('fails the commit when the claim was given back meanwhile', async () => {
    const { writes } = createWorld({ late: async () => claim });
    const session = writes.open();
    await session.handle(first);
    await session.handle(request({}));
    await expect(session.handle(commit)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await session.close();
  });

  it.each<[string, Partial<WriteRequest>, string]>([
    ['another digest', { expected: digestOf('other') }, 'FAILED_PRECONDITION'],
    ['another size', { total: DATA.length + 1 }, 'FAILED_PRECONDITION'],
    ['labels that it cannot have yet', { labels: new Map([['key', 'value']]) }, 'UNAVAILABLE'],
  ])('cannot be committed with %s', async (_, odd, code) => {
    const { writes } = createWorld({ late: async () => claim, standing: claim });
    const session = writes.open();
    await session.handle(first);
    await session.handle(request({}));
    await expect(session.handle({ ...commit, ...odd })).rejects.toMatchObject({ code });
    await session.close();
  });

  it('is written all the same by who writes it', async () => {
    const { writes, committed } = createWorld({ late: async () => claim, standing: claim });
    const session = writes.open();
    await session.handle(first);
    await session.handle(request({}));
    await session.handle(request({ action: WRITE_ACTION.WRITE, data: DATA }));
    expect(await session.handle(request({}))).toMatchObject({ offset: DATA.length });
    const committing = { ...commit, offset: DATA.length };
    expect(await session.handle(committing)).toMatchObject({ digest: DIGEST });
    expect(committed).toEqual([`${REF} ${DIGEST}`]);
    await session.close();
  });

  it('is not asked for once bytes were written, or without a size', async () => {
    const late = async () => {
      throw new CodedError('INTERNAL', 'Asked');
    };
    const { writes } = createWorld({ late });
    const begun = writes.open();
    await begun.handle(first);
    await begun.handle(request({ action: WRITE_ACTION.WRITE, data: DATA.subarray(0, 2) }));
    expect(await begun.handle(request({}))).toMatchObject({ offset: 2 });
    await begun.close();
    const sizeless = writes.open();
    await sizeless.handle(request({ ref: `k8s.io/4/layer-${digestOf('other') satisfies Digest}` }));
    expect(await sizeless.handle(request({}))).toMatchObject({ offset: 0 });
    await sizeless.close();
  });

  it('lets the ref go when the client vanishes while it waits', async () => {
    let asked = (): void => undefined;
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const late: World['late'] = (_, { signal }) => {
      asked();
      return never(signal);
    };
    const { writes } = createWorld({ late });
    const session = writes.open();
    await session.handle(first);
    const waiting = session.handle(request({}));
    await asking;
    await session.close();
    expect(await waiting).toMatchObject({ offset: 0 });
    const next = writes.open();
    expect(await next.handle(first)).toMatchObject({ offset: 0 });
    await next.close();
  });
});
