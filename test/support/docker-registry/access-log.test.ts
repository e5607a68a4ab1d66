import { describe, expect, it } from '@jest/globals';
import { isBlobGet, parseAccessLog } from './access-log.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const line = (request: string, status: number, bytes: string) =>
  `127.0.0.1 - - [21/Nov/2026:23:00:00 +0000] "${request} HTTP/1.1" ${status} ${bytes} "" "containerd/1.6"`;

describe('parseAccessLog()', () => {
  it('reads method, path, status, bytes and agent and passes over other lines', () => {
    const text = [line(`GET /v2/a/b/blobs/${DIGEST}?ns=x`, 200, '12'), 'something else', ''].join('\n');
    expect(parseAccessLog(text)).toEqual([
      { method: 'GET', path: `/v2/a/b/blobs/${DIGEST}?ns=x`, status: 200, bytes: 12, userAgent: 'containerd/1.6' },
    ]);
  });

  it('reads "-" as no bytes', () => {
    expect(parseAccessLog(line('HEAD /v2/', 200, '-'))).toMatchObject([{ bytes: 0 }]);
  });
});

describe('isBlobGet()', () => {
  const request = { method: 'GET', path: `/v2/a/blobs/${DIGEST}`, status: 200, bytes: 1, userAgent: '' };

  it('counts whole and partial answers', () => {
    expect(isBlobGet(request)).toBe(true);
    expect(isBlobGet({ ...request, status: 206 }, DIGEST)).toBe(true);
  });

  it('does not count other digests, other methods, refusals, manifests and uploads', () => {
    expect(isBlobGet(request, `sha256:${'b'.repeat(64)}`)).toBe(false);
    expect(isBlobGet({ ...request, method: 'HEAD' })).toBe(false);
    expect(isBlobGet({ ...request, status: 401 })).toBe(false);
    expect(isBlobGet({ ...request, path: `/v2/a/manifests/${DIGEST}` })).toBe(false);
    expect(isBlobGet({ ...request, path: '/v2/a/blobs/uploads/x' })).toBe(false);
  });
});
