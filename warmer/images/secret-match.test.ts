import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matchingKeys } from './secret-match.ts';

const at = (image: string) => ({
  domain: image.slice(0, image.indexOf('/')),
  path: image.slice(image.indexOf('/') + 1),
});

describe('matchingKeys()', () => {
  it.each([
    ['registry.example', 'registry.example/a/b', true],
    ['https://registry.example/v1/', 'registry.example/a/b', true],
    ['https://registry.example/v2/team', 'registry.example/team/b', true],
    ['registry.example/team', 'registry.example/other/b', false],
    // The kubelet's prefix is one of text, not of path components.
    ['registry.example/team', 'registry.example/teamB/x', true],
    ['*.azurecr.example', 'shop.azurecr.example/a', true],
    ['*.azurecr.example', 'a.b.azurecr.example/a', false],
    ['*.example', 'registry.evil.example/a', false],
    ['registry.example:5000', 'registry.example:5000/a', true],
    ['registry.example:5000', 'registry.example/a', false],
    ['registry.example', 'registry.example:5000/a', false],
    ['registry.example', 'registry.example.evil/a', false],
    ['https://index.docker.io/v1/', 'docker.io/library/nginx', true],
    ['docker.io', 'docker.io/library/nginx', true],
    ['https://index.docker.io/v1/', 'quay.io/a/b', false],
    ['[::1]:5000', '[::1]:5000/a', true],
    ['', 'registry.example/a', false],
    ['*', 'registry.example/a', false],
  ])('of %s for %s is %s', (key, image, expected) => {
    expect(matchingKeys([key], at(image))).toEqual(expected ? [key] : []);
  });

  it('puts longer keys first', () => {
    expect(matchingKeys(['r.example', 'r.example/team/app', 'r.example/team'], at('r.example/team/app'))).toEqual([
      'r.example/team/app',
      'r.example/team',
      'r.example',
    ]);
  });

  it('matches no other host, whatever the key', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,6}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 2, maxLength: 4 }), fc.string(), (labels, key) => {
        fc.pre(!/[*?]/.test(key));
        const domain = labels.join('.');
        const isNamed = key.includes(domain);
        expect(isNamed || matchingKeys([key], { domain, path: 'a' }).length === 0).toBe(true);
      }),
    );
  });
});
