/** One request under way, and how answers are written: heads that every answer has, small bodies, nothing at all for HEAD. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { CallerCredential } from '../content/origin.ts';
import type { MirrorEvents } from './events.ts';
import { type Refusal, refusalBody } from './spec-errors.ts';

/** A request whose target is known. */
export interface Answering {
  readonly isHead: boolean;
  readonly headers: IncomingHttpHeaders;
  readonly response: ServerResponse;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** Whose rights count; undefined = this node's. */
  readonly as: CallerCredential | undefined;
  readonly events: MirrorEvents;
}

export type Head = Readonly<Record<string, string | number>>;

/** What every answer of a registry says (docker/distribution). */
export const COMMON_HEAD = {
  'docker-distribution-api-version': 'registry/2.0',
  'x-content-type-options': 'nosniff',
} as const;

/** An answer whose body is at hand. */
export function sendBytes(to: Answering, status: number, answer: { head: Head; body: Uint8Array }): void {
  const { response, isHead, events } = to;
  response.writeHead(status, { ...answer.head, 'content-length': answer.body.length });
  if (!isHead) events.sent(answer.body.length);
  response.end(isHead ? undefined : answer.body);
}

/** An answer without a body and without a length: 304. */
export function sendEmpty({ response }: Answering, status: number, head: Head): void {
  response.writeHead(status, head);
  response.end();
}

/** An error of the specification. What is left of a bad request is not read, so its connection is not used again. */
export function sendRefusal(
  response: ServerResponse,
  refusal: Refusal,
  options: { isHead: boolean; closes: boolean },
): void {
  if (options.closes) response.shouldKeepAlive = false;
  const body = refusalBody(refusal);
  response.writeHead(refusal.status, {
    ...refusal.headers,
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
  });
  response.end(options.isHead ? undefined : body);
}

/** A media type that may stand in a header; what manifests call themselves is anybody's text. */
export function safeMediaType(text: string): string {
  return /^[\w.+-]{1,127}\/[\w.+-]{1,127}$/.test(text) ? text : 'application/octet-stream';
}
