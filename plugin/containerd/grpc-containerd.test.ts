import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { containerdMethods } from './containerd-services.ts';
import { createContainerd } from './grpc-containerd.ts';

const A = digestOf('a');
const B = digestOf('b');
const never = new AbortController().signal;

/** What the fake daemon answers; each test changes what it needs. */
interface Behaviour {
  isHanging: boolean;
  brokenAfter: number;
  deleted: string[];
}

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

function socketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'shoal-containerd-client-'));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'c.sock');
}

type Unary = (call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) => void;

async function fakeDaemon(socket: string, behaviour: Partial<Behaviour> = {}): Promise<() => void> {
  const methods = containerdMethods();
  const server = new Server();
  const namespaceOf = (call: { metadata: { get(name: string): unknown[] } }) =>
    String(call.metadata.get('containerd-namespace')[0]);
  const version: Unary = (_call, answer) => behaviour.isHanging || answer(null, { version: '2.1.9' });
  const info: Unary = (call, answer) => {
    if (behaviour.isHanging) return;
    if (namespaceOf(call) !== 'k8s.io') return answer({ code: status.NOT_FOUND, details: 'no such content' });
    const labels = { 'containerd.io/distribution.source.docker.io': 'library/nginx' };
    answer(null, { info: { digest: A, size: 5, labels } });
  };
  const remove: Unary = (call, answer) => {
    if (namespaceOf(call) !== 'k8s.io') return answer({ code: status.NOT_FOUND, details: 'no such content' });
    behaviour.deleted?.push(namespaceOf(call));
    answer(null, {});
  };
  const list = (call: ServerWritableStream<object, object>) => {
    call.write({ info: [{ digest: A, size: 5 }, { digest: 'md5:abc' }] });
    if (behaviour.brokenAfter === 1)
      return void call.emit('error', { code: status.UNAVAILABLE, details: 'going down' });
    call.write({ info: [{ digest: B, size: 2 ** 40 }] });
    call.end();
  };
  const images: Unary = (_call, answer) =>
    answer(null, {
      images: [{ name: 'docker.io/library/nginx:1', target: { digest: A, mediaType: 'm', size: 5 } }, { name: 'odd' }],
    });
  server.addService({ v: methods.version }, { v: version });
  server.addService(
    { n: methods.namespaces },
    { n: ((_c, answer) => answer(null, { namespaces: [{ name: 'k8s.io' }, { name: 'moby' }] })) satisfies Unary },
  );
  server.addService(
    { i: methods.content, l: methods.contents, d: methods.deleteContent },
    { i: info, l: list, d: remove },
  );
  server.addService({ g: methods.images }, { g: images });
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  const stop = () => server.forceShutdown();
  closers.push(stop);
  return stop;
}

async function client(socket: string) {
  const containerd = createContainerd({ socket, clock: systemClock, log: silentLogger });
  closers.push(() => containerd.stop());
  let connects = 0;
  containerd.onConnect(() => {
    connects += 1;
  });
  await containerd.start({ signal: never });
  return { containerd, connects: () => connects };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !condition(); turn += 1) await systemClock.sleep(10);
  expect(condition()).toBe(true);
}

describe('createContainerd()', () => {
  it('isReachable() follows a daemon that comes late, goes and comes back', async () => {
    const socket = socketPath();
    const { containerd, connects } = await client(socket);
    expect(containerd.isReachable()).toBe(false);
    const stop = await fakeDaemon(socket);
    await until(() => containerd.isReachable());
    expect(connects()).toBe(1);
    stop();
    await until(() => !containerd.isReachable());
    await fakeDaemon(socket);
    await until(() => containerd.isReachable());
    expect(connects()).toBe(2);
  }, 20_000);

  it('isReachable() stays false when the daemon accepts and never answers', async () => {
    const socket = socketPath();
    await fakeDaemon(socket, { isHanging: true });
    const { containerd } = await client(socket);
    await systemClock.sleep(2500);
    expect(containerd.isReachable()).toBe(false);
    await expect(containerd.content('k8s.io', A, { signal: never })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  }, 20_000);

  it('contents() gathers a stream and leaves out digests that no store of ours holds', async () => {
    const socket = socketPath();
    await fakeDaemon(socket);
    const { containerd } = await client(socket);
    const contents = await containerd.contents('k8s.io', { signal: never });
    expect(contents.map(({ digest, size }) => [digest, size])).toEqual([
      [A, 5],
      [B, 2 ** 40],
    ]);
  });

  it('contents() fails as a whole when the list is interrupted', async () => {
    const socket = socketPath();
    await fakeDaemon(socket, { brokenAfter: 1 });
    const { containerd } = await client(socket);
    await expect(containerd.contents('k8s.io', { signal: never })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('content() and deleteContent() name the namespace and take an absent digest for no error', async () => {
    const socket = socketPath();
    const deleted: string[] = [];
    await fakeDaemon(socket, { deleted });
    const { containerd } = await client(socket);
    const found = await containerd.content('k8s.io', A, { signal: never });
    expect(found?.size).toBe(5);
    expect([...(found?.labels ?? [])]).toEqual([['containerd.io/distribution.source.docker.io', 'library/nginx']]);
    expect(await containerd.content('moby', A, { signal: never })).toBeUndefined();
    await containerd.deleteContent('moby', A, { signal: never });
    await containerd.deleteContent('k8s.io', A, { signal: never });
    expect(deleted).toEqual(['k8s.io']);
  });

  it('namespaces() and images() read what is there', async () => {
    const socket = socketPath();
    await fakeDaemon(socket);
    const { containerd } = await client(socket);
    expect(await containerd.namespaces({ signal: never })).toEqual(['k8s.io', 'moby']);
    expect(await containerd.images('k8s.io', { signal: never })).toEqual([
      { name: 'docker.io/library/nginx:1', target: { digest: A, mediaType: 'm', size: 5 } },
    ]);
  });

  it('any call rejects with CANCELLED when its signal aborts', async () => {
    const socket = socketPath();
    await fakeDaemon(socket, { isHanging: true });
    const { containerd } = await client(socket);
    const abort = new AbortController();
    const pending = containerd.content('k8s.io', A, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(pending).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(containerd.contents('k8s.io', { signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
