import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseChallenges } from './challenge.ts';

const parse = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, ...Object.fromEntries(parameters) }));

describe('parseChallenges()', () => {
  it('reads what registries send', () => {
    const hub =
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"';
    expect(parse(hub)).toEqual([
      {
        scheme: 'bearer',
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:library/nginx:pull',
      },
    ]);
    expect(parse('Basic realm="Registry Realm"')).toEqual([{ scheme: 'basic', realm: 'Registry Realm' }]);
  });

  it('reads several challenges of one header', () => {
    expect(parse('Basic realm="a, b", Bearer realm="https://x/?a=1,2" , service=plain,error="x"')).toEqual([
      { scheme: 'basic', realm: 'a, b' },
      { scheme: 'bearer', realm: 'https://x/?a=1,2', service: 'plain', error: 'x' },
    ]);
    expect(parse('Negotiate, NTLM, Basic realm=x')).toEqual([
      { scheme: 'negotiate' },
      { scheme: 'ntlm' },
      { scheme: 'basic', realm: 'x' },
    ]);
    expect(parse('Negotiate abc123==, Bearer realm="r"')).toEqual([
      { scheme: 'negotiate' },
      { scheme: 'bearer', realm: 'r' },
    ]);
  });

  it('reads escapes in quoted strings, spaces around "=", and upper case names', () => {
    expect(parse('BEARER Realm = "a\\"b\\\\c" , SCOPE="a b"')).toEqual([
      { scheme: 'bearer', realm: 'a"b\\c', scope: 'a b' },
    ]);
  });

  it('gives what it understood of a broken header', () => {
    expect(parse('Bearer realm="open')).toEqual([{ scheme: 'bearer' }]);
    expect(parse('')).toEqual([]);
    expect(parse('=,=')).toEqual([]);
    expect(parse('realm="x"')).toEqual([]);
  });

  it('reads back any challenges that were written', () => {
    const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const value = fc.string({ maxLength: 20 });
    const challenge = fc.tuple(token, fc.dictionary(token, value, { minKeys: 1, maxKeys: 4 }));
    const write = ([scheme, parameters]: [string, Record<string, string>]) =>
      `${scheme} ${Object.entries(parameters)
        .map(([name, text]) => `${name}="${text.replace(/["\\]/g, '\\$&')}"`)
        .join(', ')}`;
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 4 }), (written) => {
        expect(parse(written.map(write).join(', '))).toEqual(
          written.map(([scheme, parameters]) => ({ scheme, ...parameters })),
        );
      }),
    );
  });

  it('takes any text, quickly', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(Array.isArray(parseChallenges(text))).toBe(true);
      }),
    );
    const started = performance.now();
    for (const text of ['a '.repeat(50_000), 'a="'.repeat(50_000), '"\\'.repeat(50_000)]) parseChallenges(text);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
