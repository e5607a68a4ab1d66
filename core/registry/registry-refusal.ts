/** A status that is no success, as an error of ours (OCI distribution-spec, "Error Codes"). */
import { isJsonObject, parseJsonObject } from '../oci/descriptor-json.ts';
import type { ErrorCode } from '../runtime/errors.ts';
import type { HttpAnswer } from './http-transport.ts';
import { parseRetryAfter } from './rate-limit.ts';
import { RegistryError, type RequestKind } from './registry-client.ts';

/** Error documents are a line or two; the rest is of no use. */
const BODY_BYTES_MAX = 16 * 1024;
const ERRORS_SHOWN_MAX = 3;
const TEXT_LENGTH_MAX = 300;

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'FAILED_PRECONDITION',
  408: 'UNAVAILABLE',
  416: 'OUT_OF_RANGE',
  429: 'RESOURCE_EXHAUSTED',
  501: 'FAILED_PRECONDITION',
};

export interface RefusedRequest {
  /** What was tried: `Manifest "latest" of "docker.io/library/nginx"`. */
  action: string;
  method: string;
  kind?: RequestKind;
  /** The host that answered, when it is not the registry itself: storage behind a redirect. */
  otherHost?: string;
  /** The Authorization sent, so that a server that repeats it does not get it into our logs. */
  authorization?: string;
  nowMs: number;
}

/** Reads what the answer has to say and makes an error of it. Never throws. */
export async function refusalOf(answer: HttpAnswer, request: RefusedRequest): Promise<RegistryError> {
  const said = await answer
    .read(BODY_BYTES_MAX)
    .then(errorsIn)
    .catch(() => '');
  const { status } = answer;
  const secret = request.authorization?.replace(/^\S+\s+/, '');
  const safe = secret ? said.replaceAll(secret, '[secret]') : said;
  return new RegistryError(codeOfStatus(status, request), `${request.action} ${outcome(status, request)}${safe}`, {
    status,
    retryAfterMs: parseRetryAfter(answer.headers['retry-after'], request.nowMs),
  });
}

/** An absent image is no refusal, and registries that hide what is private refuse what is absent. */
function outcome(status: number, { otherHost, kind }: RefusedRequest): string {
  if (otherHost !== undefined) return `was refused by "${otherHost}" with ${status}`;
  if (status === 404) return 'was not found in that registry (404)';
  const isHidden = kind === 'manifest' && (status === 401 || status === 403);
  return `was refused with ${status}${isHidden ? ' (it is not there, or needs other credentials)' : ''}`;
}

/**
 * Storage behind a redirect has no say in who may read: its refusals are failures, and asking the registry again for
 * another URL helps; unless it was asked by HEAD, which URLs signed for GET do not allow.
 */
function codeOfStatus(status: number, request: RefusedRequest): ErrorCode {
  const isRefusal = status >= 400 && status < 500;
  if (request.otherHost === undefined || status === 429 || !isRefusal) {
    return CODES[status] ?? (isRefusal ? 'FAILED_PRECONDITION' : 'UNAVAILABLE');
  }
  return request.method === 'HEAD' ? 'FAILED_PRECONDITION' : 'UNAVAILABLE';
}

/** `{ "errors": [{ "code", "message" }] }`, or a token server's `{ "error", "error_description", "details" }`. */
function errorsIn(body: Buffer): string {
  const json = parseJsonObject(body, 'Error');
  const list = Array.isArray(json.errors)
    ? json.errors
    : [{ code: json.error, message: json.error_description ?? json.details }];
  const texts = list
    .slice(0, ERRORS_SHOWN_MAX)
    .filter(isJsonObject)
    .map(({ code, message }) => [code, message].filter((text) => typeof text === 'string' && text !== '').join(': '))
    .filter((text) => text !== '');
  return texts.length === 0 ? '' : `: ${printable(texts.join('; '))}`;
}

/** One line without control characters, so that a registry cannot forge log lines. */
function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length > TEXT_LENGTH_MAX ? `${line.slice(0, TEXT_LENGTH_MAX)}…` : line;
}
