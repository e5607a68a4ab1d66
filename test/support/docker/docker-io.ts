/**
 * docker.io itself, for a dockerd that goes there: a proxy on loopback takes its connections and leads them to a TLS server
 * that calls itself registry-1.docker.io and passes everything on to a test's registry. Nothing leaves the machine.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type Server, createServer, request as ask } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { join } from 'node:path';

const HOST = 'registry-1.docker.io';

export interface DockerIo extends AsyncDisposable {
  /** For the dockerd: the way there, and whom to trust. */
  readonly env: NodeJS.ProcessEnv;
  /** Hosts that were asked for, with their ports. */
  readonly asked: readonly string[];
}

/** Why there can be none here; undefined when there can. */
export function dockerIoUnavailable(): string | undefined {
  return spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0 ? undefined : 'openssl is not installed';
}

/** @param directory for its certificate @param registryUrl what stands behind it */
export async function startDockerIo(directory: string, registryUrl: string): Promise<DockerIo> {
  const [key, cert] = [join(directory, 'docker-io.key'), join(directory, 'docker-io.crt')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`, '-keyout', key, '-out', cert],
  ]);
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  const tls = createTlsServer({ key: await readFile(key), cert: await readFile(cert) }, (request, response) => {
    const { method, url, headers } = request;
    const onward = ask(
      new URL(url ?? '/', registryUrl),
      { method, headers: { ...headers, host: new URL(registryUrl).host } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.once('error', () => response.destroy());
    request.pipe(onward);
  });
  const asked: string[] = [];
  const proxy = createServer((_, response) => response.writeHead(502).end());
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(request.url ?? '');
    const onward = request.url === `${HOST}:443` ? connect(portOf(tls), '127.0.0.1') : undefined;
    if (onward === undefined) return void socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const)
      from.on('error', () => to.destroy()).pipe(to);
    return void socket.write('HTTP/1.1 200 OK\r\n\r\n');
  });
  for (const server of [tls, proxy]) await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    asked,
    env: { HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`, NO_PROXY: '127.0.0.1,localhost', SSL_CERT_FILE: cert },
    async [Symbol.asyncDispose]() {
      for (const server of [tls, proxy]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function portOf(server: Pick<Server, 'address'>): number {
  return (server.address() as AddressInfo).port;
}
