import { describe, expect, it } from '@jest/globals';
import { parseTokenAnswer, tokenRequest } from './token-server.ts';

const realm = new URL('https://auth.example/token?account=x');
const answer = (value: unknown) => Buffer.from(JSON.stringify(value));
const now = Date.parse('2026-01-01T00:00:00Z');

describe('tokenRequest()', () => {
  it('asks by GET, each scope by itself, and keeps what the realm had', () => {
    const request = tokenRequest({ realm, service: 's', scope: 'repository:a:pull aws', credential: undefined });
    expect(request.method).toBe('GET');
    expect(request.url.href).toBe(
      'https://auth.example/token?account=x&service=s&scope=repository%3Aa%3Apull&scope=aws',
    );
    expect(request.headers).toEqual({});
  });

  it('sends user and password as Basic, in UTF-8', () => {
    const credential = { kind: 'basic', username: 'u', password: 'pä:s' } as const;
    const { headers } = tokenRequest({ realm, service: undefined, scope: '', credential });
    expect(headers).toEqual({ authorization: `Basic ${Buffer.from('u:pä:s').toString('base64')}` });
  });

  it('posts an identity token, and never into the URL', () => {
    const credential = { kind: 'identity', refreshToken: 'r&t' } as const;
    const request = tokenRequest({ realm, service: 's', scope: 'x', credential });
    expect(request).toMatchObject({ method: 'POST', url: realm });
    expect(Object.fromEntries(new URLSearchParams(request.body))).toEqual({
      grant_type: 'refresh_token',
      service: 's',
      client_id: 'shoal',
      scope: 'x',
      refresh_token: 'r&t',
    });
  });
});

describe('parseTokenAnswer()', () => {
  it.each([
    ['a minute when nothing is said', {}, 60],
    ['what is said', { expires_in: 300 }, 300],
    ['a minute at least', { expires_in: 5 }, 60],
    ['a day at most', { expires_in: 1e9 }, 86_400],
    ['less for a token that is old already', { expires_in: 300, issued_at: '2025-12-31T23:59:00Z' }, 240],
    [
      'what is said when the clock of the server is far behind',
      { expires_in: 300, issued_at: '2020-01-01T00:00:00Z' },
      300,
    ],
    ['what is said when the clock of the server is ahead', { expires_in: 300, issued_at: '2026-01-01T01:00:00Z' }, 300],
    ['what is said beside a bad date', { expires_in: 300, issued_at: 'today' }, 300],
    ['a minute for a bad number', { expires_in: '300' }, 60],
  ])('lets a token live %s', (_, more, seconds) => {
    const { expiresAtMs } = parseTokenAnswer(answer({ token: 't', ...more }), now);
    expect((expiresAtMs - now) / 1000).toBe(seconds);
  });

  it('takes either field', () => {
    expect(parseTokenAnswer(answer({ access_token: 'a' }), now).token).toBe('a');
    expect(parseTokenAnswer(answer({ token: 'b', access_token: '' }), now).token).toBe('b');
  });

  it.each([{}, [], null, 'x', { token: 5 }, { token: '' }, { token: 'a\r\nX-Evil: 1' }])('refuses %j', (value) => {
    expect(() => parseTokenAnswer(answer(value), now)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });
});
