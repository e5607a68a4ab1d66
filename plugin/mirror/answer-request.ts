/** One request from its first line to its answer: shape, target, the caller's rights, route; and errors as the specification wants. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import { type Answering, COMMON_HEAD, sendBytes, sendRefusal } from './answering.ts';
import { BlobRoute } from './blob-route.ts';
import { CallerAccess } from './caller-access.ts';
import { challengeFor, parseAuthorization } from './caller-credential.ts';
import type { AnsweredFacts, MirrorEvents } from './events.ts';
import { PATIENCE_MS } from './limits.ts';
import { answerReferrers, answerTags } from './list-routes.ts';
import { ManifestRoute } from './manifest-route.ts';
import type { MirrorDeps, MirrorOptions, MirrorRules } from './mirror.ts';
import { type ShapeRules, checkShape } from './request-shape.ts';
import { type Target, askedOf, parseTarget } from './request-target.ts';
import { type Refusal, fromOrigin, refusalOf } from './spec-errors.ts';

/** What a log line may have of a path. */
const LOGGED_PATH_MAX = 300;

export class RequestAnswerer {
  readonly #deps: MirrorDeps;
  readonly #events: MirrorEvents;
  readonly #shape: ShapeRules;
  #pathRegistries: ReadonlySet<string> = new Set();
  #checksCallers = false;
  readonly #access: CallerAccess;
  readonly #blobs: BlobRoute;
  readonly #manifests: ManifestRoute;

  constructor(deps: MirrorDeps, options: MirrorOptions, events: MirrorEvents) {
    this.#deps = deps;
    this.#events = events;
    this.#shape = { listenHost: options.listen.host, names: lowerCased(options.names) };
    this.#access = new CallerAccess({ clock: deps.clock, events });
    this.#blobs = new BlobRoute(deps, options.patienceMs ?? PATIENCE_MS);
    this.#manifests = new ManifestRoute({ ...deps, access: this.#access });
    this.configure(options);
  }

  /** For requests that come from now on. */
  configure({ authorize, staleTags = 'upstream-down', pathRegistries }: MirrorRules): void {
    this.#pathRegistries = lowerCased(pathRegistries);
    this.#checksCallers = authorize === 'caller';
    this.#manifests.servesStaleTags = staleTags === 'upstream-down';
  }

  /** Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(COMMON_HEAD)) response.setHeader(name, value);
    let target: Target | undefined;
    let isGood = false;
    const left = new AbortController();
    response.once('close', () => left.abort(new CodedError('CANCELLED', 'Client went away')));
    try {
      checkShape(request, this.#shape);
      target = parseTarget(request.url ?? '', this.#pathRegistries);
      isGood = true;
      if (target.kind !== 'base' && target.namespace !== undefined)
        response.setHeader('oci-namespace', target.namespace);
      await this.#route(this.#answering(request, response, left.signal), target);
      this.#events.answered(factsOf(request, target, response.statusCode));
    } catch (error) {
      this.#fail({ request, response, target, closes: !isGood }, error);
    }
  }

  /** For what node:http hands over apart, such as an `Expect` that nobody here knows. */
  refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    for (const [name, value] of Object.entries(COMMON_HEAD)) response.setHeader(name, value);
    this.#fail({ request, response, target: undefined, closes: true }, error);
  }

  #answering(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Answering {
    const as = this.#checksCallers ? parseAuthorization(request.headers.authorization) : undefined;
    const { headers, method } = request;
    return { isHead: method === 'HEAD', headers, response, signal, as, events: this.#events };
  }

  async #route(to: Answering, target: Target): Promise<void> {
    switch (target.kind) {
      case 'base':
        return this.#answerBase(to);
      case 'manifest':
        return this.#manifests.answer(to, target);
      case 'blob':
        return this.#blobs.answer(to, { ...target, size: await this.#checkBlob(to, target) });
      case 'tags':
        return answerTags(this.#deps.origin, to, target);
      case 'referrers':
        return answerReferrers(this.#deps.origin, to, target);
    }
  }

  /** Where callers are checked this is where they learn that it wants their name; whether that is good shows at a repository. */
  #answerBase(to: Answering): void {
    if (this.#checksCallers && to.headers.authorization === undefined) {
      const message = 'Credentials for the registry behind this mirror are needed';
      const refusal: Refusal = { status: 401, code: 'UNAUTHORIZED', message, headers: challengeFor('shoal') };
      this.#events.authorized('refused');
      sendRefusal(to.response, refusal, { isHead: to.isHead, closes: false });
    } else sendBytes(to, 200, { head: { 'content-type': 'application/json' }, body: Buffer.from('{}\n') });
  }

  /** Also for a blob that is here, or that came from elsewhere than its registry. @returns its size, when that was asked now */
  async #checkBlob({ as, signal }: Answering, target: Extract<Target, { kind: 'blob' }>): Promise<number | undefined> {
    if (as === undefined) return undefined;
    const { source, digest } = target;
    const ask = () => this.#deps.origin.blobSize(source, digest, { signal, as });
    return this.#access.check({ source, credential: as, digest }, ask).catch((error: unknown) => {
      throw fromOrigin(error);
    });
  }

  #fail(failed: FailedRequest, error: unknown): void {
    const { request, response, target } = failed;
    // An answer that is under way can only be cut off: fewer bytes than its length says.
    if (response.headersSent) {
      this.#events.cut(factsOf(request, target, response.statusCode), error);
      if (!response.writableEnded) response.destroy();
      return;
    }
    const refusal = this.#withChallenge(refusalOf(error, askedOf(target)), { target, error, request });
    this.#events.failed(factsOf(request, target, refusal.status), error);
    if (response.destroyed) return;
    sendRefusal(response, refusal, { isHead: request.method === 'HEAD', closes: failed.closes });
  }

  /** A refusal by the registry: callers may try with a name; where the node's own rights decide there is nothing they could show. */
  #withChallenge(
    refusal: Refusal,
    { target, error, request }: Pick<FailedRequest, 'target' | 'request'> & { error: unknown },
  ): Refusal {
    if (target === undefined || target.kind === 'base') return refusal;
    if (!isCode(error, 'UNAUTHENTICATED', 'PERMISSION_DENIED')) return refusal;
    if (!this.#checksCallers) return { ...refusal, status: 403, code: 'DENIED' };
    const isNobody = request.headers.authorization === undefined;
    if (!isCode(error, 'UNAUTHENTICATED') && !isNobody) return refusal;
    return { ...refusal, status: 401, code: 'UNAUTHORIZED', headers: challengeFor(target.source.registry) };
  }
}

interface FailedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target | undefined;
  readonly closes: boolean;
}

function factsOf(
  { method = '', url = '' }: IncomingMessage,
  target: Target | undefined,
  status: number,
): AnsweredFacts {
  const path = url.split('?', 1)[0] ?? '';
  return { method, path: path.slice(0, LOGGED_PATH_MAX), asked: askedOf(target), status };
}

function lowerCased(names: readonly string[] = []): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}
