import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../runtime/clock.ts';
import { createRegistryClient } from './http-registry-client.ts';
import { whyUnreachable } from './unreachable.ts';

/** What a client says of a registry at `url`, called "registry.example". */
async function failureAt(url: string): Promise<unknown> {
  const client = createRegistryClient(
    { clock: systemClock },
    { attemptsMax: 1, timeouts: { connectMs: 300, responseMs: 300 } },
  );
  const repository = { registry: { host: 'registry.example', url, isConfigured: true }, name: 'team/app' };
  const { signal } = new AbortController();
  const error = await client.resolve(repository, 'v1', { signal }).catch((thrown: unknown) => thrown);
  client.close();
  return error;
}

/** A server that takes connections and does this with each. */
async function serverThat(onConnection: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { port, [Symbol.dispose]: () => void server.close() };
}

describe('a registry that cannot be reached', () => {
  it('is named with its endpoint when it refuses connections', async () => {
    const { port } = await closedPort();
    expect(await failureAt(`http://127.0.0.1:${port}`)).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(
        new RegExp(
          `^Registry "registry\\.example" at "http://127\\.0\\.0\\.1:${port}" cannot be reached: .*it refuses connections`,
        ),
      ),
    });
  });

  it('is named when nobody knows its name', async () => {
    expect(await failureAt('http://nobody.invalid')).toMatchObject({
      message: expect.stringMatching(
        /"registry\.example" at "http:\/\/nobody\.invalid".*(not known to DNS|DNS does not answer)/,
      ),
    });
  });

  it('is named when it says nothing in time', async () => {
    using server = await serverThat((socket) => void setTimeout(() => socket.destroy(), 2_000).unref());
    expect(await failureAt(`http://127.0.0.1:${server.port}`)).toMatchObject({
      message: expect.stringContaining('it did not answer in time'),
    });
  });

  it('is named when it does not speak TLS', async () => {
    using server = await serverThat((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await failureAt(`https://127.0.0.1:${server.port}`)).toMatchObject({
      message: expect.stringContaining('it does not speak TLS'),
    });
  });
});

describe('whyUnreachable()', () => {
  it('finds the reason behind a wrapped error, and keeps the message', () => {
    const cause = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
    expect(whyUnreachable(new Error('outer', { cause }))).toBe('its certificate has expired (outer)');
    expect(whyUnreachable(new Error('odd'))).toBe('odd');
    expect(whyUnreachable('text')).toBe('text');
  });
});

async function closedPort() {
  using server = await serverThat(() => undefined);
  return { port: server.port };
}
