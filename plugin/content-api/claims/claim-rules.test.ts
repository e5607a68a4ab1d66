import { describe, expect, it } from '@jest/globals';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../core/oci/media-types.ts';
import { CodedError, type ErrorCode } from '../../../core/runtime/errors.ts';
import type { KnownBlob } from '../../content/known-blobs.ts';
import { type ClaimFacts, afterFailure, decideClaim } from './claim-rules.ts';

const LAYER: KnownBlob = { size: 5, role: 'layer', mediaType: OCI_LAYER_GZIP };
const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const GOOD: ClaimFacts = {
  mode: 'fleet',
  isContainerdReachable: true,
  wasGivenBack: false,
  hasBadSibling: false,
  known: LAYER,
  isBeingLearned: false,
  route: () => 'yes',
};

describe('decideClaim()', () => {
  const cases: [string, Partial<ClaimFacts>, string, string][] = [
    ['a layer with a route', {}, 'yes', 'route'],
    ['a config with a route', { known: { size: 5, role: 'config', mediaType: OCI_CONFIG } }, 'yes', 'route'],
    ['a route that is there while more is learned', { isBeingLearned: true }, 'yes', 'route'],
    ['anything when claims are off', { mode: 'off' }, 'no', 'claims are off'],
    ['anything absent in local mode', { mode: 'local' }, 'no', 'not on this disk'],
    ['without containerd', { isContainerdReachable: false }, 'no', 'containerd is not reachable'],
    ['what stands beside a bad claim', { hasBadSibling: true }, 'no', 'another blob of its image was given back'],
    ['what was given back', { wasGivenBack: true }, 'no', 'given back before'],
    ['what no manifest names', { known: undefined }, 'no', 'no manifest names it'],
    ['what a manifest being read may name', { known: undefined, isBeingLearned: true }, 'wait', 'still being learned'],
    [
      'a manifest',
      { known: { size: 5, role: 'manifest', mediaType: OCI_MANIFEST } },
      'no',
      'manifests are claimed only from this disk',
    ],
    [
      'an index',
      { known: { size: 5, role: 'index', mediaType: OCI_INDEX } },
      'no',
      'manifests are claimed only from this disk',
    ],
    ['a foreign layer', { known: { ...LAYER, mediaType: FOREIGN } }, 'no', 'foreign layer'],
    ['an empty blob', { known: { ...LAYER, size: 0 } }, 'no', 'empty'],
    ['no route', { route: () => 'no' }, 'no', 'no route'],
    [
      'no route while its source is looked up',
      { route: () => 'no', isBeingLearned: true },
      'wait',
      'still being learned',
    ],
    ['sources still asking', { route: () => 'asking' }, 'wait', 'sources are still being asked'],
  ];
  it.each(cases)('answers for %s', (_title, facts, answer, reason) => {
    expect(decideClaim({ ...GOOD, ...facts })).toEqual({ answer, reason });
  });

  it('asks for no route when another rule refuses', () => {
    const route = () => {
      throw new Error('asked');
    };
    for (const facts of [{ mode: 'local' }, { isContainerdReachable: false }, { known: undefined }] as const) {
      expect(decideClaim({ ...GOOD, ...facts, route }).answer).toBe('no');
    }
  });
});

describe('afterFailure()', () => {
  const coded = (code: ErrorCode) => new CodedError(code, code);
  const failed = { error: coded('UNAVAILABLE'), route: 'yes', idleMs: 1000, giveUpMs: 60_000 } as const;

  it('tries again after what may mend itself', () => {
    for (const code of ['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'INTERNAL', 'CANCELLED'] as const) {
      expect(afterFailure({ ...failed, error: coded(code) })).toBe('again');
    }
  });

  it('gives back after a refusal, wrong bytes, without a route, or when patience is over', () => {
    for (const code of ['NOT_FOUND', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'DATA_LOSS'] as const) {
      expect(afterFailure({ ...failed, error: coded(code) })).toBe('give-back');
    }
    expect(afterFailure({ ...failed, route: 'no' })).toBe('give-back');
    expect(afterFailure({ ...failed, idleMs: 60_000 })).toBe('give-back');
  });

  it('takes several failures for final only when each of them is', () => {
    const mixed = new AggregateError([coded('NOT_FOUND'), coded('UNAVAILABLE')]);
    expect(afterFailure({ ...failed, error: mixed })).toBe('again');
    const refused = new AggregateError([coded('NOT_FOUND'), coded('PERMISSION_DENIED')]);
    expect(afterFailure({ ...failed, error: refused })).toBe('give-back');
  });
});
