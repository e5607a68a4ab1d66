/**
 * A stand-in for Kubernetes' API server over TLS, for what a real one does seldom: expired tokens and versions, 401, 429, answers
 * that are cut, slow, broken or endless. Lists, watches with bookmarks, single objects, leases with their versions.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../fake-registry/test-certificate.ts';
import { Expired, StandInStore, type Stored } from './stand-in-store.ts';

/** What is done in place of an answer. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: unknown;
    }
  | { readonly kind: 'text'; readonly text: string }
  /** The connection ends within the answer. */
  | { readonly kind: 'cut'; readonly text: string }
  | { readonly kind: 'silent' };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

export interface StandInKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly isNamespaced?: boolean;
}

export interface StandIn extends AsyncDisposable {
  readonly url: URL;
  /** PEM. */
  readonly ca: string;
  readonly store: StandInStore;
  readonly requests: readonly SeenRequest[];
  /** Tokens that are let in; empty: everybody. */
  readonly tokens: Set<string>;
  /** Answers the next `count` requests that match so. */
  fault(matches: (request: SeenRequest) => boolean, fault: Fault, count?: number): void;
  /** Ends every open watch, as a server that restarts; with half an event when `isCut`. */
  endWatches(options?: { isCut: boolean }): void;
  /** Sends a bookmark of now to every watch. */
  bookmark(): void;
  stop(): Promise<void>;
}

export interface StandInOptions {
  /** Lets nobody in without the test certificate as his own. */
  readonly needsCertificate?: boolean;
}

export async function startStandIn(kinds: readonly StandInKind[], options: StandInOptions = {}): Promise<StandIn> {
  const standIn = new Server(kinds, options);
  await standIn.start();
  return standIn;
}

/** `/apis/apps/v1/deployments`. */
export function listOf({ group, version, plural }: StandInKind): string {
  return `${group === '' ? '/api' : `/apis/${group}`}/${version}/${plural}`;
}

const PATH =
  /^(?<base>\/api|\/apis\/[^/]+)\/(?<version>v[^/]+)(?:\/namespaces\/(?<namespace>[^/]+)(?=\/))?\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?$/;

class Server implements StandIn {
  readonly ca = TEST_CERTIFICATE;
  readonly store = new StandInStore();
  readonly requests: SeenRequest[] = [];
  readonly tokens = new Set<string>();
  readonly #kinds: readonly StandInKind[];
  readonly #faults: { matches: (request: SeenRequest) => boolean; fault: Fault; left: number }[] = [];
  readonly #watches = new Set<ServerResponse>();
  readonly #sockets = new Set<Socket>();
  readonly #server: HttpsServer;

  constructor(kinds: readonly StandInKind[], { needsCertificate = false }: StandInOptions) {
    this.#kinds = kinds;
    this.#server = createServer({
      ...{ cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY },
      ...(needsCertificate && { requestCert: true, rejectUnauthorized: true, ca: TEST_CERTIFICATE }),
    });
    for (const kind of kinds) this.store.addList(listOf(kind));
    this.#server.on('request', (request, response) => void this.#answer(request, response));
    this.#server.on('secureConnection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  get url(): URL {
    const { port } = this.#server.address() as AddressInfo;
    return new URL(`https://127.0.0.1:${port}`);
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close').catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  fault(matches: (request: SeenRequest) => boolean, fault: Fault, count = 1): void {
    this.#faults.push({ matches, fault, left: count });
  }

  endWatches({ isCut }: { isCut: boolean } = { isCut: false }): void {
    for (const watch of this.#watches) {
      if (!isCut) watch.end();
      else watch.write('{"type":"MODIFIED","object":{"meta', () => watch.destroy());
    }
    this.#watches.clear();
  }

  bookmark() {
    const object = { kind: 'Any', metadata: { resourceVersion: String(this.store.version) } };
    for (const watch of this.#watches) watch.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { pathname: path, searchParams: query } = new URL(incoming.url ?? '', 'https://any');
    const { authorization } = incoming.headers;
    const request = { method: incoming.method ?? '', path, query, authorization, headers: incoming.headers };
    this.requests.push(request);
    const planned = this.#faults.find(({ matches, left }) => left > 0 && matches(request));
    if (planned !== undefined) {
      planned.left -= 1;
      return spoil(response, planned.fault);
    }
    const isKnown = this.tokens.size === 0 || this.tokens.has(authorization?.replace(/^Bearer /, '') ?? '');
    if (!isKnown) return send(response, 401, status(401, 'Unauthorized', 'Unauthorized'));
    this.#serve(request, response, Buffer.concat(chunks).toString('utf8'));
  }

  #serve(request: SeenRequest, response: ServerResponse, body: string) {
    const { path } = request;
    const groups = this.#discovery(path);
    if (groups !== undefined) return send(response, 200, groups);
    const { base = '', version, namespace, plural, name } = PATH.exec(path)?.groups ?? {};
    const list = `${base}/${version}/${plural}`;
    if (!this.store.hasList(list))
      return send(response, 404, status(404, 'NotFound', 'the server could not find the requested resource'));
    try {
      if (request.method === 'POST') return this.#create(response, { list, namespace, body });
      if (request.method === 'PUT') return this.#update(response, { list, namespace, body });
      if (name !== undefined) return this.#get(response, { list, namespace, name });
      if (request.query.get('watch') === 'true') return this.#watch(response, { list, namespace, request });
      this.#list(response, { list, namespace, request });
    } catch (error) {
      if (!(error instanceof Expired)) throw error;
      send(response, 410, status(410, 'Expired', 'The provided continue parameter is too old'));
    }
  }

  #discovery(path: string): unknown {
    if (path === '/apis') {
      const names = [...new Set(this.#kinds.map(({ group }) => group))].filter((group) => group !== '');
      const groups = names.map((group) => {
        const versions = [...new Set(this.#kinds.filter((kind) => kind.group === group).map(({ version }) => version))];
        const entries = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
        return { name: group, versions: entries, preferredVersion: entries[0] };
      });
      return { kind: 'APIGroupList', apiVersion: 'v1', groups };
    }
    const kinds = this.#kinds.filter((kind) => listOf(kind).startsWith(`${path}/`));
    if (kinds.length === 0 && path !== '/api/v1') return undefined;
    const resources = kinds.flatMap(({ plural, kind, isNamespaced = true }) => [
      {
        name: plural,
        singularName: '',
        namespaced: isNamespaced,
        kind,
        verbs: ['create', 'get', 'list', 'update', 'watch'],
      },
      { name: `${plural}/status`, singularName: '', namespaced: isNamespaced, kind, verbs: ['get', 'patch', 'update'] },
    ]);
    return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: path.replace(/^\/apis?\//, ''), resources };
  }

  #list(response: ServerResponse, at: { list: string; namespace: string | undefined; request: SeenRequest }) {
    const limit = Number(at.request.query.get('limit') ?? 1_000_000);
    const token = at.request.query.get('continue') ?? undefined;
    const page = this.store.page(at.list, { namespace: at.namespace, limit, token });
    // As the real one: the items do not say what they are.
    const items = page.items.map(({ kind: _, apiVersion: __, ...item }) => item);
    const metadata = { resourceVersion: String(page.version), ...(page.next !== undefined && { continue: page.next }) };
    send(response, 200, { kind: 'AnyList', apiVersion: 'v1', metadata, items });
  }

  #watch(response: ServerResponse, at: { list: string; namespace: string | undefined; request: SeenRequest }) {
    const version = Number(at.request.query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    try {
      const end = this.store.watch({ list: at.list, namespace: at.namespace, version }, ({ type, object }) => {
        if (!response.writableEnded) response.write(`${JSON.stringify({ type, object })}\n`);
      });
      this.#watches.add(response);
      response.once('close', () => {
        end();
        this.#watches.delete(response);
      });
    } catch (error) {
      if (!(error instanceof Expired)) throw error;
      // In a watch it comes as an event.
      const object = status(410, 'Expired', `too old resource version: ${version}`);
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    }
  }

  #get(response: ServerResponse, { list, ...name }: { list: string; namespace: string | undefined; name: string }) {
    const object = this.store.get(list, name);
    if (object === undefined) return send(response, 404, status(404, 'NotFound', `"${name.name}" not found`));
    send(response, 200, object);
  }

  #create(
    response: ServerResponse,
    { list, namespace, body }: { list: string; namespace: string | undefined; body: string },
  ) {
    const object = objectOf(body, namespace);
    const isThere = this.store.get(list, { namespace, name: object.metadata.name }) !== undefined;
    if (isThere) return send(response, 409, status(409, 'AlreadyExists', 'it already exists'));
    send(response, 201, this.store.set(list, object));
  }

  #update(
    response: ServerResponse,
    { list, namespace, body }: { list: string; namespace: string | undefined; body: string },
  ) {
    const object = objectOf(body, namespace);
    const stored = this.store.get(list, { namespace, name: object.metadata.name });
    if (stored === undefined) return send(response, 404, status(404, 'NotFound', 'it is not there'));
    if (stored.metadata.resourceVersion !== object.metadata.resourceVersion) {
      return send(response, 409, status(409, 'Conflict', 'the object has been modified'));
    }
    send(response, 200, this.store.set(list, object));
  }
}

function objectOf(body: string, namespace: string | undefined): Stored {
  const object: Stored = JSON.parse(body);
  return { ...object, metadata: { ...object.metadata, ...(namespace !== undefined && { namespace }) } };
}

/** apimachinery `meta/v1.Status`. */
export function status(code: number, reason: string, message: string, details?: object): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code, details };
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function spoil(response: ServerResponse, fault: Fault): void {
  if (fault.kind === 'silent') return;
  if (fault.kind === 'status') {
    response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
    response.end(fault.body === undefined ? '' : JSON.stringify(fault.body));
  } else if (fault.kind === 'text') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(fault.text);
  } else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(fault.text, () => response.destroy());
  }
}
