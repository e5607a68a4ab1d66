import { describe, expect, it } from '@jest/globals';
import { DEPLOYMENTS, PODS } from '../../../test/support/kubernetes/client-setup.ts';
import { field } from '../extract/values.ts';
import { keeperOf } from './keeper.ts';

const CONTAINER = {
  name: 'main',
  image: 'web:1',
  command: ['a'],
  args: ['--image=b'],
  env: [{ name: 'PASSWORD', value: 'x' }],
};
const object = () => ({
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    env: 'of nothing that we know',
    template: {
      spec: {
        containers: [{ ...CONTAINER, resources: {}, livenessProbe: {}, volumeMounts: [] }],
        initContainers: [{ ...CONTAINER }, 'odd'],
        volumes: [{ name: 'v', image: { reference: 'data:1' } }],
      },
    },
  },
});
const LEAN = { name: 'main', image: 'web:1', command: ['a'], args: ['--image=b'] };

describe('keeperOf()', () => {
  it('keeps of containers what names images, and no environment', () => {
    const kept = keeperOf(DEPLOYMENTS, { kinds: ['Engine'] })(object());
    expect(field(kept, 'spec')).toEqual({
      env: 'of nothing that we know',
      template: {
        spec: {
          containers: [LEAN],
          initContainers: [LEAN, 'odd'],
          volumes: [{ name: 'v', image: { reference: 'data:1' } }],
        },
      },
    });
  });

  it.each([{ kinds: ['Deployment'] }, { kinds: ['Deployment.apps'] }, { kinds: [], isWhole: true }])(
    'keeps all that rules of the user may look into: %j',
    (options) => {
      expect(field(keeperOf(DEPLOYMENTS, options)(object()), 'spec')).toEqual(object().spec);
    },
  );

  it('keeps of a pod no notes, and no volumes but images', () => {
    const pod = {
      kind: 'Pod',
      metadata: { name: 'web', labels: { a: 'b' }, annotations: { 'sidecar.istio.io/status': '{}' } },
      spec: {
        containers: [CONTAINER],
        volumes: [
          { name: 'token', projected: {} },
          { name: 'v', image: { reference: 'data:1' } },
        ],
      },
    };
    expect(keeperOf(PODS, { kinds: [] })(structuredClone(pod))).toEqual({
      kind: 'Pod',
      metadata: { name: 'web', annotations: {} },
      spec: { containers: [LEAN], volumes: [{ name: 'v', image: { reference: 'data:1' } }] },
    });
    expect(keeperOf(PODS, { kinds: ['Pod'] })(structuredClone(pod))).toEqual(pod);
  });

  it('keeps nothing of what is over', () => {
    const over = { ...object(), metadata: { name: 'web', deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(keeperOf(DEPLOYMENTS, { kinds: [] })(over)).toBeUndefined();
  });
});
