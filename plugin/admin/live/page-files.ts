/** The page's files, read once at the start and answered from memory: plain HTML, CSS and ES modules, as they lie in `page/`. */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CodedError } from '../../../core/runtime/errors.ts';
import { COMMON_HEADERS } from '../json-answers.ts';

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
]);

/** Nothing but what this node serves; nothing in a frame; no script or style in the markup. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

/** @param folder `page/` @throws CodedError FAILED_PRECONDITION when it is not there: the installation is not whole */
export async function readPageFiles(folder: string): Promise<PageFile[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new CodedError('FAILED_PRECONDITION', `Files of the web page are not in "${folder}"`, { cause: error });
  });
  const served = names.filter((name) => TYPES.has(extname(name)));
  return Promise.all(
    served.map(async (name) => {
      const bytes = await readFile(join(folder, name));
      const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`;
      return { path: name === 'index.html' ? '/' : `/page/${name}`, type: TYPES.get(extname(name)) ?? '', bytes, etag };
    }),
  );
}

export function sendPageFile(file: PageFile, request: IncomingMessage, response: ServerResponse): void {
  const headers = {
    ...COMMON_HEADERS,
    // Asked for again each time, and sent again only after an upgrade.
    'cache-control': 'no-cache',
    'content-security-policy': POLICY,
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    etag: file.etag,
  };
  if (request.headers['if-none-match'] === file.etag) return void response.writeHead(304, headers).end();
  response.writeHead(200, { ...headers, 'content-type': file.type, 'content-length': file.bytes.length });
  response.end(request.method === 'HEAD' ? undefined : file.bytes);
}
