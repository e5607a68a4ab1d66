import { describe, expect, it } from '@jest/globals';
import { type ClientSetup, setUpClient } from '../../../../test/support/kubernetes/client-setup.ts';
import { status } from '../../../../test/support/kubernetes/stand-in.ts';

const call = { path: '/api/v1/pods' };
const KINDS = [{ group: '', version: 'v1', kind: 'Pod', plural: 'pods' }];
const { signal } = new AbortController();
const always = () => true;

async function json({ client }: ClientSetup, more: object = {}): Promise<unknown> {
  return client.json({ ...call, ...more }, { signal });
}

describe('ApiClient', () => {
  it('json() asks once more with fresh credentials when it is refused with 401', async () => {
    await using setup = await setUpClient(KINDS, { tokens: ['old', 'new'] });
    setup.server.tokens.add('new');
    expect(await json(setup)).toMatchObject({ kind: 'AnyList' });
    expect(setup.asked).toEqual([false, true]);
    setup.server.tokens.delete('new');
    setup.server.tokens.add('another');
    await expect(json(setup)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'GET of "/api/v1/pods" is refused with 401: Unauthorized',
    });
    expect(setup.asked).toEqual([false, true, false, true]);
  });

  it('json() comes again when the server says, and a little later, when it is told to slow down', async () => {
    await using setup = await setUpClient(KINDS);
    setup.server.fault(always, { kind: 'status', status: 429, headers: { 'retry-after': '3' } });
    setup.server.fault(always, {
      kind: 'status',
      status: 503,
      body: status(503, 'ServiceUnavailable', 'apiserver is shutting down', { retryAfterSeconds: 7 }),
    });
    expect(await json(setup)).toMatchObject({ kind: 'AnyList' });
    expect(setup.waits).toEqual([3375, 7875]);
  });

  it('json() never waits longer than a minute because a server says so', async () => {
    await using setup = await setUpClient(KINDS);
    setup.server.fault(always, { kind: 'status', status: 429, headers: { 'retry-after': '86400' } });
    await json(setup);
    expect(setup.waits).toEqual([67_500]);
  });

  it('json() tries again when an answer is cut, broken or silent, and gives up after five attempts', async () => {
    await using setup = await setUpClient(KINDS, { idleMs: 300 });
    setup.server.fault(always, { kind: 'cut', text: '{"kind":"PodLi' });
    setup.server.fault(always, { kind: 'text', text: '<html>a proxy</html>' });
    setup.server.fault(always, { kind: 'silent' });
    expect(await json(setup)).toMatchObject({ kind: 'AnyList' });
    expect(setup.waits).toHaveLength(3);
    setup.server.fault(always, { kind: 'status', status: 500 }, 100);
    await expect(json(setup)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(setup.server.requests).toHaveLength(4 + 5);
  });

  it.each([
    [400, 'BadRequest', 'INVALID_ARGUMENT'],
    [403, 'Forbidden', 'PERMISSION_DENIED'],
    [404, 'NotFound', 'NOT_FOUND'],
    [409, 'AlreadyExists', 'ALREADY_EXISTS'],
    [409, 'Conflict', 'FAILED_PRECONDITION'],
    [410, 'Expired', 'OUT_OF_RANGE'],
    [422, 'Invalid', 'INVALID_ARGUMENT'],
    [307, undefined, 'INTERNAL'],
  ])('json() tells %d %s at once as %s', async (code, reason, expected) => {
    await using setup = await setUpClient(KINDS);
    const body = status(code, reason ?? '', 'the reason\nin two lines');
    setup.server.fault(always, { kind: 'status', status: code, body });
    const message = `GET of "/api/v1/pods" is refused with ${code}: the reason in two lines`;
    await expect(json(setup)).rejects.toMatchObject({ code: expected, message });
    expect(setup.server.requests).toHaveLength(1);
  });

  it('json() reads no more than its bound', async () => {
    await using setup = await setUpClient(KINDS);
    setup.server.fault(always, { kind: 'text', text: JSON.stringify({ text: 'x'.repeat(5000) }) });
    await expect(json(setup, { bytesMax: 4096 })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  it('json() writes once only, and ends with its signal or deadline', async () => {
    await using setup = await setUpClient(KINDS);
    setup.server.fault(always, { kind: 'status', status: 503 }, 2);
    await expect(json(setup, { method: 'POST', body: { metadata: { name: 'a' } } })).rejects.toThrow(/POST of .* 503/);
    expect(setup.server.requests).toHaveLength(1);
    setup.server.fault(always, { kind: 'silent' }, 5);
    await expect(json(setup, { method: 'PUT', deadlineMs: 50 })).rejects.toThrow(/PUT of .* had no answer in time/);
    const ended = AbortSignal.abort(new Error('enough'));
    await expect(setup.client.json(call, { signal: ended })).rejects.toThrow('enough');
  });

  it('json() keeps the path that a server stands behind', async () => {
    await using setup = await setUpClient(KINDS, { path: '/k8s/clusters/c-1/' });
    await expect(json(setup)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(setup.server.requests[0]?.path).toBe('/k8s/clusters/c-1/api/v1/pods');
  });
});
