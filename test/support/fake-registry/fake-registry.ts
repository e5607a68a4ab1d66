/**
 * A registry for tests: a real HTTP server on loopback, serving images that the test puts in, and misbehaving as told.
 * A second port plays the storage that registries redirect to.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ImageAnswer, ImageServer, type ServableImage } from '../../../cli/demo/image-server.ts';
import { type AccessEntry, AccessLog } from './access-log.ts';
import { spoilBlob } from './blob-answer.ts';
import { writeBody } from './body-writer.ts';
import type { Faults } from './faults.ts';
import { ListAnswers } from './list-answers.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from './test-certificate.ts';
import { TokenAuth } from './token-auth.ts';

/** Storage gives nothing without it, as signed URLs do. */
const SIGNATURE = 'signature=open-sesame';

type Host = AccessEntry['host'];

export class FakeRegistry implements AsyncDisposable {
  /** Change it at any time; `{}` behaves. */
  faults: Faults = {};
  readonly log = new AccessLog();
  readonly tokens = new TokenAuth();
  readonly #images = new ImageServer();
  readonly #lists = new ListAnswers();
  readonly #servers: Record<Host, Server>;
  readonly #ports: Record<Host, number> = { registry: 0, storage: 0 };
  readonly #connections = new WeakMap<Socket, number>();
  readonly #scheme: 'http' | 'https';
  #connectionCount = 0;

  private constructor(scheme: 'http' | 'https') {
    this.#scheme = scheme;
    this.#servers = { registry: this.#createServer('registry'), storage: this.#createServer('storage') };
  }

  /** Listens on two ports of 127.0.0.1; with TLS, the registry's shows `TEST_CERTIFICATE` and the storage's stays plain. */
  static async start(options: { scheme?: 'http' | 'https' } = {}): Promise<FakeRegistry> {
    const registry = new FakeRegistry(options.scheme ?? 'http');
    await registry.up();
    return registry;
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    return `${this.#scheme}://${this.host}`;
  }

  /** The name that references use: `127.0.0.1:<port>`. */
  get host(): string {
    return `127.0.0.1:${this.#ports.registry}`;
  }

  /** Where blobs are redirected to. */
  get storageUrl(): string {
    return `http://127.0.0.1:${this.#ports.storage}`;
  }

  put(repository: string, image: ServableImage, ...tags: string[]): void {
    const names = tags.length === 0 ? ['latest'] : tags;
    this.#images.put(repository, image, names);
    this.#lists.put(repository, image, names);
  }

  /** Nobody answers any more; open connections break. */
  async down(): Promise<void> {
    for (const server of Object.values(this.#servers)) {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
  }

  /** Answers again, on the same ports. */
  async up(): Promise<void> {
    for (const host of ['registry', 'storage'] as const) {
      const server = this.#servers[host];
      server.listen(this.#ports[host], '127.0.0.1');
      await once(server, 'listening');
      this.#ports[host] = (server.address() as AddressInfo).port;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#servers.registry.listening) await this.down();
  }

  #createServer(host: Host): Server {
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      void this.#serve(host, request, response).catch((error: unknown) => response.destroy(error as Error));
    };
    const isTls = host === 'registry' && this.#scheme === 'https';
    const server = isTls
      ? createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY }, onRequest)
      : createServer(onRequest);
    server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#connectionCount += 1;
      this.#connections.set(socket, this.#connectionCount);
    });
    return server;
  }

  async #serve(host: Host, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const entry: AccessEntry = {
      host,
      method: request.method ?? '',
      path: url.pathname,
      query: url.search.slice(1),
      range: request.headers.range,
      authorization: request.headers.authorization,
      status: 0,
      bytes: 0,
      connection: this.#connections.get(request.socket) ?? 0,
    };
    this.log.add(entry);
    if (this.faults.delayMs !== undefined) await sleep(this.faults.delayMs);
    if (host === 'registry' && url.pathname === '/token') return this.#serveToken({ request, response, entry });
    const answer = this.#refusal(entry) ?? (host === 'storage' ? this.#fromStorage(entry) : this.#fromRegistry(entry));
    await this.#write(response, answer, entry);
  }

  async #serveToken(asked: { request: IncomingMessage; response: ServerResponse; entry: AccessEntry }): Promise<void> {
    const { request, response, entry } = asked;
    const { auth } = this.faults;
    if (auth?.kind !== 'bearer') return this.#write(response, plain(404), entry);
    const answer =
      entry.method === 'POST'
        ? this.tokens.post(auth, new URLSearchParams(await text(request)))
        : this.tokens.get(auth, new URLSearchParams(entry.query), entry.authorization);
    const body = Buffer.from(JSON.stringify(answer.body));
    await this.#write(
      response,
      { status: answer.status, headers: { 'content-type': 'application/json' }, body },
      entry,
    );
  }

  /** Refusals that have nothing to do with what was asked for. */
  #refusal(entry: AccessEntry): ImageAnswer | undefined {
    const { refuse, refuseHead, auth } = this.faults;
    if (refuse !== undefined && refuse.times > 0 && (refuse.only ?? /^/).test(entry.path)) {
      refuse.times -= 1;
      return plain(refuse.status, refuse.retryAfter === undefined ? {} : { 'retry-after': refuse.retryAfter });
    }
    if (entry.host === 'storage') return undefined;
    const { authorization, path } = entry;
    const challenge =
      auth === undefined ? undefined : this.tokens.challenge(auth, { authorization, path, url: this.url });
    if (challenge !== undefined) return plain(401, { 'www-authenticate': challenge });
    return refuseHead !== undefined && entry.method === 'HEAD' ? plain(refuseHead) : undefined;
  }

  #fromStorage(entry: AccessEntry): ImageAnswer {
    if (entry.query !== SIGNATURE || entry.authorization !== undefined) return plain(400);
    if (this.faults.storageRefusesHead && entry.method === 'HEAD') return plain(403);
    return this.#image({ ...entry, path: entry.path.replace(/^\/storage\//, '/v2/') });
  }

  #fromRegistry(entry: AccessEntry): ImageAnswer {
    const { redirectBlobs } = this.faults;
    const answer = (this.faults.hidesLists ? undefined : this.#lists.answer(entry)) ?? this.#image(entry);
    if (redirectBlobs === undefined || !entry.path.includes('/blobs/') || answer.status >= 400) return answer;
    const path = entry.path.replace(/^\/v2\//, '/storage/');
    const location = redirectBlobs === 'other-host' ? `${this.storageUrl}${path}?${SIGNATURE}` : redirectBlobs.to;
    return plain(307, { location });
  }

  #image(entry: AccessEntry): ImageAnswer {
    const range = this.faults.ignoreRange ? undefined : entry.range;
    const answer = this.#images.answer({ method: entry.method, path: entry.path, range });
    if (answer.status < 300 && entry.path.includes('/blobs/')) return spoilBlob(answer, this.faults);
    if (answer.status < 300 && this.faults.wrongManifests && answer.body.length > 0) {
      const body = Buffer.concat([answer.body, Buffer.from('\n')]);
      return { ...answer, body, headers: { ...answer.headers, 'content-length': `${body.length}` } };
    }
    return answer;
  }

  async #write(response: ServerResponse, answer: ImageAnswer, entry: AccessEntry): Promise<void> {
    const { faults } = this;
    const headers: Record<string, string> = { ...answer.headers, ...faults.headers };
    if (faults.hideDigest) delete headers['docker-content-digest'];
    entry.status = answer.status;
    response.writeHead(answer.status, headers);
    if (entry.method === 'HEAD') {
      response.end();
      return;
    }
    const isBlob = /\/(blobs|storage)\//.test(entry.path) && answer.status < 300;
    const isCut = isBlob && faults.truncate !== undefined && faults.truncate.times > 0;
    if (isCut && faults.truncate !== undefined) faults.truncate.times -= 1;
    await writeBody(response, answer.body, {
      truncateAfter: isCut ? faults.truncate?.afterBytes : undefined,
      stallAfter: isBlob ? faults.stallAfterBytes : undefined,
      bytesPerSecond: isBlob ? faults.bytesPerSecond : undefined,
      onBytes: (bytes) => {
        entry.bytes += bytes;
      },
    });
  }
}

/** An answer with a status and an error document, as registries write it. */
function plain(status: number, headers: Record<string, string> = {}): ImageAnswer {
  const body = Buffer.from(JSON.stringify({ errors: [{ code: `FAKE_${status}`, message: `fake answer ${status}` }] }));
  return {
    status,
    headers: { 'content-type': 'application/json', 'content-length': `${body.length}`, ...headers },
    body,
  };
}
