import { describe, expect, it } from '@jest/globals';
import { clusterNodeOf } from './cluster-node.ts';

function nodeWith(taints: object[]) {
  const value = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' }, spec: { taints } };
  return clusterNodeOf({ file: 'nodes.yaml', document: 1, value, lineOf: () => 1 });
}

describe('clusterNodeOf()', () => {
  it('leaves out the startup taint, which waits for the plan itself, and no other', () => {
    const cold = { key: 'shoal.dev/cold', effect: 'NoSchedule' };
    const gpu = { key: 'nvidia.com/gpu', effect: 'NoSchedule', value: 'yes' };
    expect(nodeWith([cold, gpu])?.taints).toEqual([gpu]);
  });
});
