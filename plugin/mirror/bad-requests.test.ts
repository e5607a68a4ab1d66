/** What nobody should send, over real sockets: the specification's error, nothing leaked, nothing crashed. */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MirrorSetup, mirrorSetup } from '../../test/support/mirror/mirror-setup.ts';

let setup: MirrorSetup;
beforeAll(async () => {
  setup = await mirrorSetup();
});
afterAll(async () => {
  await setup[Symbol.asyncDispose]();
});

const HOST = 'Host: 127.0.0.1\r\nConnection: close\r\n';

/** Status, and the specification's code when there is a body. */
async function ask(text: string): Promise<string> {
  const answer = await setup.raw(text);
  const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'none';
  const code = /"errors":\[\{"code":"([A-Z_]+)"/.exec(answer)?.[1] ?? '';
  expect(answer).not.toMatch(/node:|at .*\.ts|\/work/);
  return `${status} ${code}`.trim();
}

const HEX = 'a'.repeat(64);

describe('names, tags and digests outside the grammar', () => {
  it.each([
    ['/v2/Team/app/manifests/latest', '400 NAME_INVALID'],
    ['/v2/team//app/manifests/latest', '400 NAME_INVALID'],
    ['/v2//manifests/latest', '404 UNSUPPORTED'],
    ['/v2/team/../app/manifests/latest', '400 NAME_INVALID'],
    ['/v2/team/%2e%2e/app/manifests/latest', '400 NAME_INVALID'],
    ['/v2/team%2fapp/manifests/latest', '400 NAME_INVALID'],
    ['/v2/team\\app/manifests/latest', '400 NAME_INVALID'],
    [`/v2/${'a'.repeat(256)}/manifests/latest`, '400 NAME_INVALID'],
    ['/v2/team/app/manifests/.hidden', '404 MANIFEST_UNKNOWN'],
    [`/v2/team/app/manifests/${'t'.repeat(129)}`, '404 MANIFEST_UNKNOWN'],
    ['/v2/team/app/manifests/sha256:short', '400 DIGEST_INVALID'],
    [`/v2/team/app/blobs/sha256:${HEX.toUpperCase()}`, '400 DIGEST_INVALID'],
    [`/v2/team/app/blobs/sha512:${HEX}${HEX}`, '404 BLOB_UNKNOWN'],
    ['/v2/team/app/blobs/latest', '400 DIGEST_INVALID'],
    ['/v2/team/app/blobs/uploads/', '404 UNSUPPORTED'],
    ['/v2/team/app/tags/all', '404 UNSUPPORTED'],
    ['/v2/_catalog', '404 UNSUPPORTED'],
    ['/', '404 UNSUPPORTED'],
    ['//v2/', '404 UNSUPPORTED'],
    ['/v2/team/app/tags/list?n=x', '400 UNSUPPORTED'],
    ['/v2/team/app/tags/list?ns=a&ns=b', '400 NAME_INVALID'],
    ['/v2/team/app/tags/list?ns=a/b', '400 NAME_INVALID'],
    ['/v2/team/app/tags/list?ns=http://a', '400 NAME_INVALID'],
    ['/v2/team/app/tags/list?ns=', '400 NAME_INVALID'],
    ['/v2/team/app/tags/list?ns=user@a.example', '400 NAME_INVALID'],
    [`/v2/team/app/tags/list?${'a=1&'.repeat(20)}`, '400 UNSUPPORTED'],
    [`/v2/team/app/tags/list?last=${'a'.repeat(3000)}`, '400 UNSUPPORTED'],
    ['/v2/team/app/tags/list?last=%0d%0aX:y', '400 UNSUPPORTED'],
    ['http://evil.example/v2/', '400 UNSUPPORTED'],
    ['*', '400 UNSUPPORTED'],
  ])('GET %s is %s', async (target, expected) => {
    expect(await ask(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`)).toBe(expected);
  });
});

describe('shapes that servers may read differently', () => {
  it.each([
    ['a body', `GET /v2/ HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, '400 UNSUPPORTED'],
    ['chunks', `GET /v2/ HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, '400 UNSUPPORTED'],
    [
      'length and chunks',
      `GET /v2/ HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      '400 UNSUPPORTED',
    ],
    [
      'two lengths',
      `GET /v2/ HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello`,
      '400 UNSUPPORTED',
    ],
    ['an odd coding', `GET /v2/ HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, '400 UNSUPPORTED'],
    ['a length with a sign', `GET /v2/ HTTP/1.1\r\n${HOST}Content-Length: +0\r\n\r\n`, '400 UNSUPPORTED'],
    ['a length in hexadecimal', `GET /v2/ HTTP/1.1\r\n${HOST}Content-Length: 0x0\r\n\r\n`, '400 UNSUPPORTED'],
    ['two codings', `GET /v2/ HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n`, '400 UNSUPPORTED'],
    ['no coding at all', `GET /v2/ HTTP/1.1\r\n${HOST}Transfer-Encoding:\r\n\r\n`, '400 UNSUPPORTED'],
    ['a zero byte', `GET /v2/ HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`, '400 UNSUPPORTED'],
    ['a bare carriage return', `GET /v2/ HTTP/1.1\r\n${HOST}X: a\rContent-Length: 5\r\n\r\n`, '400 UNSUPPORTED'],
    ['two hosts', `GET /v2/ HTTP/1.1\r\n${HOST}Host: other\r\n\r\n`, '400 UNSUPPORTED'],
    ['no host', 'GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n', '400'],
    ['a foreign host', 'GET /v2/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', '403 DENIED'],
    ['a broken host', 'GET /v2/ HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', '400 UNSUPPORTED'],
    [
      'two ranges headers',
      `GET /v2/ HTTP/1.1\r\n${HOST}Range: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n`,
      '400 UNSUPPORTED',
    ],
    ['a space before a colon', `GET /v2/ HTTP/1.1\r\n${HOST}X : y\r\n\r\n`, '400 UNSUPPORTED'],
    ['a folded header', `GET /v2/ HTTP/1.1\r\n${HOST}X: y\r\n z\r\n\r\n`, '400 UNSUPPORTED'],
    ['a bare line feed', `GET /v2/ HTTP/1.1\nHost: 127.0.0.1\n\n`, '400 UNSUPPORTED'],
    ['HTTP/1.0', `GET /v2/ HTTP/1.0\r\n${HOST}\r\n`, '505 UNSUPPORTED'],
    ['HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400 UNSUPPORTED'],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '400 UNSUPPORTED'],
    ['a megabyte of headers', `GET /v2/ HTTP/1.1\r\n${HOST}X: ${'y'.repeat(1024 * 1024)}\r\n\r\n`, '431 UNSUPPORTED'],
    ['a megabyte of path', `GET /v2/${'y'.repeat(1024 * 1024)} HTTP/1.1\r\n${HOST}\r\n`, '431 UNSUPPORTED'],
    ['an unknown expectation', `GET /v2/ HTTP/1.1\r\n${HOST}Expect: miracles\r\n\r\n`, '417 UNSUPPORTED'],
  ])('%s is refused', async (_what, text, expected) => {
    expect(await ask(text)).toBe(expected);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])('%s is 405', async (method) => {
    expect(await ask(`${method} /v2/team/app/manifests/latest HTTP/1.1\r\n${HOST}\r\n`)).toBe('405 UNSUPPORTED');
  });

  it('CONNECT is 405, and a method that nobody knows is 400', async () => {
    expect(await ask('CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n')).toBe('405 UNSUPPORTED');
    expect(await ask(`BREW /v2/ HTTP/1.1\r\n${HOST}\r\n`)).toBe('400 UNSUPPORTED');
  });

  it('a second request behind a refused body is not read', async () => {
    const smuggled = 'GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    const first = `POST /v2/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${smuggled.length}\r\n\r\n`;
    const answer = await setup.raw(first + smuggled);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe('slow and idle clients', () => {
  it('that never finish their headers are closed, and others are served meanwhile', async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, opened));
    // Every other one says nothing at all.
    for (const [at, socket] of sockets.entries()) if (at % 2 === 0) socket.write('GET /v2/ HTTP/1.1\r\nX: ');
    expect((await setup.get('/v2/')).status).toBe(200);
    for (let waited = 0; waited < 200 && sockets.some(({ destroyed }) => !destroyed); waited += 1) await sleep(100);
    expect(sockets.filter(({ destroyed }) => !destroyed)).toEqual([]);
  }, 30_000);

  it('that do not read hold back nobody else', async () => {
    const { layer, registry, layerBytes } = setup;
    const slow = await opened();
    slow.pause();
    slow.write(`GET /v2/team/app/blobs/${layer.digest}?ns=${registry.host} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const response = await setup.get(`/v2/team/app/blobs/${layer.digest}`);
    expect(Buffer.from(await response.arrayBuffer()).equals(layerBytes)).toBe(true);
    slow.destroy();
  });
});

async function opened(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(setup.url).port) });
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  return socket;
}
