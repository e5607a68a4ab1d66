/**
 * What a request must look like before anyone reads what it asks for: HTTP/1.1, no body, no header twice that decides
 * something, and a Host of ours. Shapes that two servers may read differently are refused. Pure.
 */
import { isIP } from 'node:net';
import { isLoopback } from '../../core/runtime/config-address.ts';
import { SpecError, badRequest } from './spec-errors.ts';

export interface ShapedRequest {
  readonly method?: string | undefined;
  readonly httpVersion: string;
  /** Names and values in turns, as they came. */
  readonly rawHeaders: readonly string[];
}

export interface ShapeRules {
  /** The address that the listener is bound to. */
  readonly listenHost: string;
  /** Lower-case names that a Host header may carry. */
  readonly names: ReadonlySet<string>;
}

/** Headers of which one alone counts. */
const SINGLE = new Set([
  'host',
  'authorization',
  'range',
  'if-range',
  'content-length',
  'transfer-encoding',
  'connection',
  'expect',
]);

/** @throws SpecError 400, 403, 405, 505 */
export function checkShape(request: ShapedRequest, rules: ShapeRules): void {
  const { method = '', httpVersion } = request;
  if (httpVersion !== '1.1') throw badRequest('UNSUPPORTED', 'Protocol is not HTTP/1.1', 505);
  const headers = singleHeaders(request.rawHeaders);
  checkHost(headers.get('host') ?? '', rules);
  if (method !== 'GET' && method !== 'HEAD') {
    const message = 'Method is not one of GET, HEAD: a mirror is pulled from';
    throw new SpecError('INVALID_ARGUMENT', {
      status: 405,
      code: 'UNSUPPORTED',
      message,
      headers: { allow: 'GET, HEAD' },
    });
  }
  const length = headers.get('content-length');
  if (headers.has('transfer-encoding') || (length !== undefined && length !== '0')) {
    throw badRequest('UNSUPPORTED', 'Request has a body, and nothing here takes one');
  }
}

function singleHeaders(raw: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    if (!SINGLE.has(name)) continue;
    if (found.has(name)) throw badRequest('UNSUPPORTED', `Header "${name}" is given more than once`);
    found.set(name, raw[at + 1] ?? '');
  }
  return found;
}

/** On loopback a page whose name was re-bound to this machine must not read what this node may. */
function checkHost(host: string, { listenHost, names }: ShapeRules): void {
  const [, bracketed, plain] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]@/\s]+))(?::\d{1,5})?$/.exec(host) ?? [];
  const name = (bracketed ?? plain)?.toLowerCase().replace(/\.$/, '');
  if (name === undefined) throw badRequest('UNSUPPORTED', 'Host header is not a host');
  if (!isLoopback(listenHost) || isIP(name) !== 0 || name === 'localhost' || names.has(name)) return;
  const message = 'Host header names neither an address nor this node';
  throw new SpecError('PERMISSION_DENIED', { status: 403, code: 'DENIED', message });
}
