import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../core/oci/digest.ts';
import { isRepositoryName } from '../../core/oci/reference.ts';
import { SpecError } from './spec-errors.ts';
import { parseTarget } from './request-target.ts';

const DIGEST = digestOf('x');
const PATHS = new Set(['registry.example', '127.0.0.1:5000']);

describe('parseTarget()', () => {
  it('reads each endpoint', () => {
    const source = { registry: 'docker.io', repository: 'library/nginx' };
    const located = { source, name: 'library/nginx' };
    expect(parseTarget('/v2/', PATHS)).toEqual({ kind: 'base' });
    expect(parseTarget('/v2', PATHS)).toEqual({ kind: 'base' });
    expect(parseTarget('/v2/library/nginx/manifests/1.27', PATHS)).toEqual({
      ...{ ...located, kind: 'manifest' },
      reference: { tag: '1.27' },
    });
    expect(parseTarget(`/v2/library/nginx/manifests/${DIGEST}`, PATHS)).toMatchObject({
      reference: { digest: DIGEST },
    });
    expect(parseTarget(`/v2/library/nginx/blobs/${DIGEST}`, PATHS)).toEqual({
      ...{ ...located, kind: 'blob', digest: DIGEST },
    });
    expect(parseTarget('/v2/library/nginx/tags/list?n=0&last=a', PATHS)).toEqual({
      ...{ ...located, kind: 'tags', query: 'n=0&last=a', isEmpty: true },
    });
    expect(parseTarget(`/v2/library/nginx/referrers/${DIGEST}?artifactType=x`, PATHS)).toMatchObject({
      kind: 'referrers',
      query: 'artifactType=x',
    });
  });

  it('finds the registry in ns, in the path when it was written down, or docker.io', () => {
    const at = (target: string) => {
      const found = parseTarget(target, PATHS);
      return found.kind === 'base' ? undefined : found.source;
    };
    expect(at('/v2/a/b/manifests/x?ns=Quay.io')).toEqual({ registry: 'quay.io', repository: 'a/b' });
    expect(at('/v2/a/b/manifests/x?ns=[::1]:5000')).toEqual({ registry: '[::1]:5000', repository: 'a/b' });
    expect(at('/v2/registry.example/b/manifests/x')).toEqual({ registry: 'registry.example', repository: 'b' });
    expect(at('/v2/127.0.0.1:5000/b/manifests/x')).toEqual({ registry: '127.0.0.1:5000', repository: 'b' });
    expect(at('/v2/other.example/b/manifests/x')).toEqual({ registry: 'docker.io', repository: 'other.example/b' });
    expect(at('/v2/registry.example/b/manifests/x?ns=a.example')).toMatchObject({ repository: 'registry.example/b' });
    expect(at('/v2/a/manifests/b/blobs/manifests/x')).toEqual({
      registry: 'docker.io',
      repository: 'a/manifests/b/blobs',
    });
  });

  it('gives names of the grammar or refuses, whatever it is given', () => {
    const piece = fc.oneof(
      fc.constantFrom('v2', 'manifests', 'blobs', 'tags', 'list', '..', '.', '', '%2e%2e', 'a', 'a_b', DIGEST, 'ns='),
      fc.string({ maxLength: 8 }),
    );
    const target = fc.array(piece, { maxLength: 9 }).map((pieces) => `/v2/${pieces.join('/')}`);
    fc.assert(
      fc.property(fc.oneof(target, fc.string()), (text) => {
        try {
          const found = parseTarget(text, PATHS);
          if (found.kind !== 'base') expect(isRepositoryName(found.source.repository)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(SpecError);
        }
      }),
    );
  });
});
