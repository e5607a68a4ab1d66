/** What must not hurt the content service, over its socket: each gets the right code and a clear message, nothing leaks. */
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { WRITE_ACTION } from '../../plugin/content-api/content-messages.ts';
import { CLAIMED_PREFIX } from './some-claims.ts';
import { type ContentNode, MEMORY_DIRECTORY, startContentNode, TRANSPORTS, type Transport } from './content-node.ts';

const { STAT, WRITE, COMMIT } = WRITE_ACTION;
const BYTES = Buffer.from('some bytes of a blob');
const DIGEST = digestOf(BYTES);
const ABSENT = digestOf('absent');

let node: ContentNode | undefined;
afterEach(async () => {
  await node?.stop();
  node = undefined;
});

async function start(transport: Transport, parent?: string): Promise<ContentNode> {
  node = await startContentNode({ transport, ...(parent !== undefined && { parent }) });
  return node;
}

async function withBlob(transport: Transport): Promise<ContentNode> {
  const started = await start(transport);
  const stream = started.client.write();
  await stream.send({ action: COMMIT, ref: 'blob', data: BYTES, total: BYTES.length, expected: DIGEST });
  await stream.close();
  return started;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 2000 && !(await condition()); turn += 1) await systemClock.sleep(10);
  expect(await condition()).toBe(true);
}

const openFiles = () => readdirSync('/proc/self/fd').length;

describe.each(TRANSPORTS)('bad input through %s', (transport) => {
  it.each([
    '',
    'sha256',
    'sha256:',
    'sha256:ABC',
    `sha256:${'g'.repeat(64)}`,
    `sha512:${'0'.repeat(128)}`,
    '../../x',
    'a'.repeat(9000),
  ])('Info, Read, Delete and Update refuse %j, which is no digest', async (digest) => {
    const { client } = await start(transport);
    const { info, delete: remove, update } = client.methods;
    const refused = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('is not "sha256:"') };
    await expect(client.unary(info, { digest })).rejects.toMatchObject(refused);
    await expect(client.unary(remove, { digest })).rejects.toMatchObject(refused);
    await expect(client.read(digest, 0, 1)).rejects.toMatchObject(refused);
    await expect(client.unary(update, { info: { digest, labels: {} }, updateMask: null })).rejects.toMatchObject(
      refused,
    );
  });

  it('Read takes offsets and sizes as containerd does', async () => {
    const { client } = await withBlob(transport);
    const all = BYTES.length;
    await expect(client.read(DIGEST, -5, 0)).resolves.toEqual(BYTES);
    await expect(client.read(DIGEST, 0, -1)).resolves.toEqual(BYTES);
    await expect(client.read(DIGEST, 3, 2 ** 52)).resolves.toEqual(BYTES.subarray(3));
    await expect(client.read(DIGEST, all, 10)).resolves.toEqual(Buffer.alloc(0));
    for (const offset of [all + 1, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
      await expect(client.read(DIGEST, offset, 1)).rejects.toMatchObject({
        code: 'OUT_OF_RANGE',
        message: expect.stringContaining(`the content has ${all} bytes`),
      });
    }
    await expect(client.read(ABSENT, 0, 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each([
    ['no ref', { action: STAT }, 'INVALID_ARGUMENT', 'must name a ref'],
    ['a ref beyond all bounds', { action: STAT, ref: 'r'.repeat(100_000) }, 'INVALID_ARGUMENT', 'Ref'],
    ['an expected digest that is none', { action: STAT, ref: 'r', expected: 'sha1:00' }, 'INVALID_ARGUMENT', 'sha1:00'],
    ['an offset ahead', { action: WRITE, ref: 'r', offset: 5, data: BYTES }, 'OUT_OF_RANGE', 'current offset 0'],
    ['a negative offset', { action: WRITE, ref: 'r', offset: -5, data: BYTES }, 'OUT_OF_RANGE', 'current offset 0'],
    ['an unknown action', { action: 7, ref: 'r' }, 'INVALID_ARGUMENT', 'action 7'],
    ['a total that lies', { action: COMMIT, ref: 'r', total: 5, data: BYTES }, 'FAILED_PRECONDITION', '5'],
    ['a digest that lies', { action: COMMIT, ref: 'r', expected: ABSENT, data: BYTES }, 'FAILED_PRECONDITION', ABSENT],
    [
      'labels that are too long',
      { action: COMMIT, ref: 'r', labels: { k: 'v'.repeat(5000) } },
      'INVALID_ARGUMENT',
      'Label "k"',
    ],
  ])('Write refuses %s', async (_name, fields, code, text) => {
    const { client, store } = await start(transport);
    await expect(client.write().send(fields)).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
    expect([...store.list()]).toEqual([]);
    const again = client.write();
    await again.send({ action: STAT, ref: 'r' });
    await again.close();
  });

  it('Write keeps refs with "../" below its directory', async () => {
    const { client } = await start(transport);
    const stream = client.write();
    await stream.send({ action: WRITE, ref: '../../../../tmp/evil', data: BYTES });
    const { statuses } = await client.unary(client.methods.listStatuses, { filters: ['ref~=evil$'] });
    expect(statuses).toMatchObject([{ ref: '../../../../tmp/evil', offset: BYTES.length }]);
    await stream.close();
  });

  it('Write refuses a message that is larger than containerd sends', async () => {
    const { client } = await start(transport);
    const stream = client.write();
    const sent = stream.send({ action: WRITE, ref: 'big', data: Buffer.alloc(17 * 1024 * 1024) });
    await expect(sent).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  it('Write unlocks a ref, keeps its bytes and closes its files when the client vanishes', async () => {
    const { client, store } = await start(transport);
    const before = openFiles();
    for (let turn = 0; turn < 50; turn += 1) {
      const stream = client.write();
      await stream.send({ action: WRITE, ref: `vanish-${turn}`, data: BYTES });
      stream.cancel();
    }
    await until(async () => {
      const opened = await store.openIngest('vanish-49').catch(() => undefined);
      await opened?.close();
      return opened !== undefined;
    });
    await expect(client.unary(client.methods.status, { ref: 'vanish-0' })).resolves.toMatchObject({
      status: { offset: BYTES.length },
    });
    await until(() => openFiles() <= before + 4);
  });

  it('Read closes its files when the client vanishes', async () => {
    const { client } = await start(transport);
    const big = Buffer.alloc(8 * 1024 * 1024, 7);
    const stream = client.write();
    await stream.send({ action: COMMIT, ref: 'big', data: big });
    await stream.close();
    const before = openFiles();
    for (let turn = 0; turn < 30; turn += 1) {
      const answers = client.stream(client.methods.read, { digest: digestOf(big), offset: 0, size: 0 });
      await answers.next();
      await answers.return(undefined);
    }
    await until(() => openFiles() <= before + 4);
  });

  it('Abort ends a running Write, and is content with an absent ref', async () => {
    const { client } = await start(transport);
    const stream = client.write();
    await stream.send({ action: WRITE, ref: 'going', data: BYTES });
    await client.unary(client.methods.abort, { ref: 'going' });
    await client.unary(client.methods.abort, { ref: 'going' });
    await expect(stream.send({ action: WRITE, offset: BYTES.length, data: BYTES })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
    await expect(client.unary(client.methods.status, { ref: 'going' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('10,000 open refs are taken or refused with RESOURCE_EXHAUSTED, and Info still answers', async () => {
    const { client, store } = await start(transport, MEMORY_DIRECTORY);
    const streams = Array.from({ length: 10_000 }, () => client.write());
    const opened = await Promise.allSettled(
      streams.map((stream, index) => stream.send({ action: STAT, ref: `r${index}` })),
    );
    const refusals = opened.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    for (const error of refusals) expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(refusals.length).toBeLessThan(10_000);
    await expect(client.unary(client.methods.info, { digest: ABSENT })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    for (const stream of streams) stream.cancel();
    await until(async () => {
      const one = await store.openIngest('one more').catch(() => undefined);
      await one?.close();
      return one !== undefined;
    });
  });

  it('Update refuses fields that cannot be changed, and follows masks', async () => {
    const { client } = await withBlob(transport);
    const { update } = client.methods;
    const change = (labels: Record<string, string>, ...paths: string[]) =>
      client.unary(update, { info: { digest: DIGEST, labels }, updateMask: { paths } });
    await expect(change({}, 'size')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(client.unary(update, { info: null, updateMask: null })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await change({ a: '1', b: '2' });
    const { info } = await change({ a: '3', c: '4' }, 'labels.a', 'labels.b');
    expect({ ...info.labels }).toEqual({ a: '3' });
  });

  it('List refuses a filter that is none, and selects by labels and digests', async () => {
    const { client } = await withBlob(transport);
    const list = async (...filters: string[]) => {
      const found: string[] = [];
      for await (const { info } of client.stream(client.methods.list, { filters }))
        found.push(...info.map((one) => one.digest));
      return found;
    };
    await expect(list('digest==')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await list(`digest==${DIGEST}`)).toEqual([DIGEST]);
    expect(await list('labels."a.b"')).toEqual([]);
    expect(await list('labels.x', 'digest~=^sha256:[0-9a-f]+$')).toEqual([DIGEST]);
  });

  it('Info claims, List shows the claim, Delete ends it', async () => {
    const { client } = await start(transport);
    const digest = `${CLAIMED_PREFIX}${'0'.repeat(60)}`;
    await expect(client.unary(client.methods.info, { digest })).resolves.toMatchObject({
      info: { digest, size: 2 ** 20 },
    });
    const { value } = await client.stream(client.methods.list, { filters: [] }).next();
    expect(value?.info.map((one: { digest: string }) => one.digest)).toEqual([digest]);
    await expect(client.read(digest, 0, 10)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await client.unary(client.methods.delete, { digest });
    expect((await client.stream(client.methods.list, { filters: [] }).next()).done).toBe(true);
  });

  it("Info gives containerd's hold to a blob that only the cache keeps", async () => {
    const { client, store } = await withBlob(transport);
    await client.unary(client.methods.delete, { digest: DIGEST });
    expect([...(store.stat(DIGEST)?.holds ?? [])]).toEqual(['cache']);
    expect((await client.stream(client.methods.list, { filters: [] }).next()).done).toBe(true);
    await expect(client.unary(client.methods.info, { digest: DIGEST })).resolves.toMatchObject({
      info: { digest: DIGEST },
    });
    expect(store.stat(DIGEST)?.holds.has('containerd')).toBe(true);
  });

  it('garbage on the socket ends its own connection and no other', async () => {
    const { client, socket } = await withBlob(transport);
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.alloc(100_000, 0xff),
      Buffer.alloc(0),
    ]) {
      const raw = connect(socket);
      raw.on('error', () => undefined);
      raw.end(bytes);
      raw.resume();
      await new Promise((resolve) => raw.once('close', resolve));
    }
    await expect(client.read(DIGEST, 0, 0)).resolves.toEqual(BYTES);
  });
});
