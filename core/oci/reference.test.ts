import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CodedError } from '../runtime/errors.ts';
import { formatReference, isRepositoryName, isTag, parseReference } from './reference.ts';

const HEX = '0123456789abcdef'.repeat(4);

/** distribution/reference's own answers, by its `ParseDockerRef`. */
const ACCEPTED: readonly [string, string][] = [
  ['nginx', 'docker.io/library/nginx:latest'],
  ['docker.io/nginx', 'docker.io/library/nginx:latest'],
  ['index.docker.io/foo/bar', 'docker.io/foo/bar:latest'],
  ['foo.com', 'docker.io/library/foo.com:latest'],
  ['localhost', 'docker.io/library/localhost:latest'],
  ['foo:5000/bar', 'foo:5000/bar:latest'],
  ['localhost/foo', 'localhost/foo:latest'],
  ['Foo/bar', 'Foo/bar:latest'],
  ['[::1]:5000/x:1', '[::1]:5000/x:1'],
  ['127.0.0.1:5000/a/b/c:v1.2_3', '127.0.0.1:5000/a/b/c:v1.2_3'],
  ['a__b/c', 'docker.io/a__b/c:latest'],
  ['a--b/c:1', 'docker.io/a--b/c:1'],
  [`nginx:1.25@sha256:${HEX}`, `docker.io/library/nginx@sha256:${HEX}`],
  [`nginx@sha256:${HEX}`, `docker.io/library/nginx@sha256:${HEX}`],
  [`nginx@sha512:${HEX}${HEX}`, `docker.io/library/nginx@sha512:${HEX}${HEX}`],
  [`x.io/${'a'.repeat(255)}`, `x.io/${'a'.repeat(255)}:latest`],
  [`nginx:${'t'.repeat(128)}`, `docker.io/library/nginx:${'t'.repeat(128)}`],
];

/** What it refuses, and the part that our message must name. */
const REFUSED: readonly [string, RegExp][] = [
  ['', /empty/],
  ['foo/Bar', /"foo\/Bar" must be lower-case/],
  ['::1/x', /registry "::1"/],
  ['a___b', /component "a___b"/],
  ['a..b/c', /registry "a\.\.b"/],
  ['x/a..b', /component "a\.\.b"/],
  [HEX, /identifier of 64/],
  ['nginx@sha256:abc', /needs 64 lower-case/],
  [`nginx@sha256:${HEX.toUpperCase()}`, /needs 64 lower-case/],
  ['nginx:', /tag ""/],
  ['nginx:-x', /tag "-x"/],
  [`nginx:${'t'.repeat(129)}`, /tag "t+…"/],
  ['https://foo.com/x', /no scheme/],
  [' nginx', /component " nginx"/],
  ['nginx ', /component "nginx "/],
  [`x.io/${'a'.repeat(256)}`, /256 characters, 255 at most/],
  [`nginx@md5:${'0'.repeat(32)}`, /algorithm "md5"/],
  ['foo.com/', /names no repository/],
  ['docker.io/', /names no repository/],
  ['foo//bar', /component ""/],
  ['a:b:c', /tag "b:c"/],
  ['foo_bar.com/x', /registry "foo_bar.com"/],
  ['a'.repeat(2000), /more than 1024/],
];

describe('parseReference()', () => {
  it.each(ACCEPTED)('makes %s whole as containerd does', (text, whole) => {
    expect(formatReference(parseReference(text))).toBe(whole);
  });

  it.each(REFUSED)('refuses %s and says what is wrong', (text, message) => {
    const act = () => parseReference(text);
    expect(act).toThrow(message);
    expect(act).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('gives the parts', () => {
    expect(parseReference('foo:5000/a/b:1')).toEqual({ domain: 'foo:5000', path: 'a/b', tag: '1' });
    expect(parseReference(`a:1@sha256:${HEX}`)).toEqual({
      domain: 'docker.io',
      path: 'library/a',
      digest: `sha256:${HEX}`,
    });
  });

  it('answers any text with a reference that is its own canonical form, or INVALID_ARGUMENT of bounded length', () => {
    const pieces = fc.constantFrom(
      'a',
      'B',
      '0',
      '.',
      '_',
      '-',
      ':',
      '/',
      '@',
      'localhost',
      'docker.io',
      'sha256:',
      HEX,
    );
    const likely = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(likely, fc.string({ maxLength: 3000 })), (text) => {
        try {
          const whole = formatReference(parseReference(text));
          expect(formatReference(parseReference(whole))).toBe(whole);
        } catch (error) {
          if (!(error instanceof CodedError)) throw error;
          expect(error.code).toBe('INVALID_ARGUMENT');
          expect(error.message.length).toBeLessThan(500);
        }
      }),
    );
  });
});

describe('isRepositoryName()', () => {
  it.each(['a', 'library/nginx', 'a/b/c', 'a__b'])('accepts %s', (name) => expect(isRepositoryName(name)).toBe(true));
  it.each(['', '/a', 'a/', '../a', 'a/../b', 'A', 'a?b', 'a%2fb', 'a'.repeat(256)])('refuses "%s"', (name) => {
    expect(isRepositoryName(name)).toBe(false);
  });
});

describe('isTag()', () => {
  it('accepts tags only', () => {
    expect(['1.0', 'latest', '_x'].every(isTag)).toBe(true);
    expect(['', '.', '-a', 'a/b', '..', `sha256:${HEX}`].some(isTag)).toBe(false);
  });
});
