import { describe, expect, it } from '@jest/globals';
import type { HttpAnswer } from './http-transport.ts';
import { refusalOf } from './registry-refusal.ts';

/** An answer with this body; `read` fails when there is none. */
function answer(status: number, body?: unknown, headers: HttpAnswer['headers'] = {}): HttpAnswer {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
  const read = async () => {
    if (body === undefined) throw new Error('broken');
    return bytes;
  };
  return {
    status,
    headers,
    read,
    body: (async function* () {})(),
    discard: async () => undefined,
    destroy: () => undefined,
  };
}

const request = { action: 'Manifest "x"', method: 'GET', nowMs: 0 };

describe('refusalOf()', () => {
  it("puts the registry's own words into the message", async () => {
    const errors = [{ code: 'DENIED', message: 'no pull' }, { code: 'B' }, { message: 'c' }, { code: 'LEFT_OUT' }];
    const error = await refusalOf(answer(403, { errors }), request);
    expect(error.message).toBe('Manifest "x" was refused with 403: DENIED: no pull; B; c');
    expect(error).toMatchObject({ code: 'PERMISSION_DENIED', status: 403 });
  });

  it.each([
    [400, 'INVALID_ARGUMENT'],
    [401, 'UNAUTHENTICATED'],
    [403, 'PERMISSION_DENIED'],
    [404, 'NOT_FOUND'],
    [405, 'FAILED_PRECONDITION'],
    [416, 'OUT_OF_RANGE'],
    [429, 'RESOURCE_EXHAUSTED'],
    [451, 'FAILED_PRECONDITION'],
    [500, 'UNAVAILABLE'],
    [501, 'FAILED_PRECONDITION'],
    [304, 'UNAVAILABLE'],
  ])('makes %i %s', async (status, code) => {
    await expect(refusalOf(answer(status), request)).resolves.toMatchObject({ code, status });
  });

  it('blames storage behind a redirect for itself alone', async () => {
    const storage = { ...request, otherHost: 'cdn.example' };
    await expect(refusalOf(answer(403), storage)).resolves.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(refusalOf(answer(404), storage)).resolves.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(refusalOf(answer(403), { ...storage, method: 'HEAD' })).resolves.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'Manifest "x" was refused by "cdn.example" with 403',
    });
  });

  it('keeps the message short, on one line, and free of what was sent to authorize', async () => {
    const message = `line\r\nforged \u202e log Bearer s3cr3t ${'x'.repeat(1000)}`;
    const error = await refusalOf(answer(403, { errors: [{ message }] }), {
      ...request,
      authorization: 'Bearer s3cr3t',
    });
    expect(error.message).not.toContain('s3cr3t');
    expect(error.message).toMatch(/: line forged log Bearer \[secret\] x+…$/);
    expect(error.message.length).toBeLessThan(400);
  });

  it.each(['<html>', '', undefined, { errors: 'x' }, { errors: [5, null, {}] }])(
    'lives with the body %j',
    async (body) => {
      const error = await refusalOf(answer(404, body), request);
      expect(error.message).toBe('Manifest "x" was not found in that registry (404)');
    },
  );

  it('does not call a manifest refused for certain that may only be absent', async () => {
    const hidden = await refusalOf(answer(401, {}), { ...request, kind: 'manifest' });
    expect(hidden.message).toBe('Manifest "x" was refused with 401 (it is not there, or needs other credentials)');
    const blob = await refusalOf(answer(401, {}), { ...request, kind: 'blob' });
    expect(blob.message).toBe('Manifest "x" was refused with 401');
  });

  it('tells how long to wait', async () => {
    const error = await refusalOf(answer(429, {}, { 'retry-after': '9' }), request);
    expect(error.retryAfterMs).toBe(9000);
  });
});
