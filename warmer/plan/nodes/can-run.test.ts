import { describe, expect, it } from '@jest/globals';
import type { NodeRequirement, NodeSelectorTerm, PodConstraints, Toleration } from '../../sources/workload.ts';
import { node, workload } from '../plan-fixtures.ts';
import type { Taint } from '../plan-input.ts';
import { obstacleFor, preferenceFor } from './can-run.ts';

const term = (...labels: NodeRequirement[]): NodeSelectorTerm => ({ labels, fields: [] });
const need = (key: string, operator: string, ...values: string[]): NodeRequirement => ({ key, operator, values });
const on = (pod: Partial<PodConstraints>, labels: Record<string, string>) =>
  obstacleFor(workload('w', [], pod), node('n', { labels }));
const holds = (requirement: NodeRequirement, labels: Record<string, string>) =>
  on({ requiredNodeTerms: [term(requirement)] }, labels) === undefined;

describe('obstacleFor()', () => {
  it.each([
    [need('gpu', 'In', 'a', 'b'), { gpu: 'b' }, true],
    [need('gpu', 'In', 'a', 'b'), { gpu: 'c' }, false],
    [need('gpu', 'In', 'a'), {}, false],
    [need('gpu', 'In'), { gpu: '' }, false],
    [need('gpu', 'NotIn', 'a'), { gpu: 'b' }, true],
    [need('gpu', 'NotIn', 'a'), {}, true],
    [need('gpu', 'NotIn', 'a'), { gpu: 'a' }, false],
    [need('gpu', 'Exists'), { gpu: '' }, true],
    [need('gpu', 'Exists'), {}, false],
    [need('gpu', 'Exists', 'a'), { gpu: 'a' }, false],
    [need('gpu', 'DoesNotExist'), {}, true],
    [need('gpu', 'DoesNotExist'), { gpu: 'a' }, false],
    [need('cores', 'Gt', '8'), { cores: '16' }, true],
    [need('cores', 'Gt', '8'), { cores: '8' }, false],
    [need('cores', 'Gt', '8'), { cores: 'many' }, false],
    [need('cores', 'Gt', '8'), {}, false],
    [need('cores', 'Gt', '8', '9'), { cores: '16' }, false],
    [need('cores', 'Lt', '8'), { cores: '-3' }, true],
    [need('cores', 'Lt', '8'), { cores: '9' }, false],
    [need('cores', 'Around', '8'), { cores: '8' }, false],
    [need('constructor', 'Exists'), {}, false],
  ])('reads %j on %j', (requirement, labels, expected) => {
    expect(holds(requirement, labels)).toBe(expected);
  });

  it('wants one of the terms, and all requirements of it', () => {
    const terms = [term(need('a', 'Exists'), need('b', 'Exists')), term(need('c', 'Exists'))];
    expect(on({ requiredNodeTerms: terms }, { a: '', b: '' })).toBeUndefined();
    expect(on({ requiredNodeTerms: terms }, { c: '' })).toBeUndefined();
    expect(on({ requiredNodeTerms: terms }, { a: '' })).toBe('node affinity');
  });

  it('takes no node when a term or the list of terms is empty', () => {
    expect(on({ requiredNodeTerms: [] }, {})).toBe('node affinity');
    expect(on({ requiredNodeTerms: [term()] }, {})).toBe('node affinity');
  });

  it('reads the name of the node as a field', () => {
    const byName = (operator: string) => [{ labels: [], fields: [need('metadata.name', operator, 'n')] }];
    expect(on({ requiredNodeTerms: byName('In') }, {})).toBeUndefined();
    expect(on({ requiredNodeTerms: byName('NotIn') }, {})).toBe('node affinity');
    expect(on({ nodeName: 'n' }, {})).toBeUndefined();
    expect(on({ nodeName: 'other' }, {})).toBe('node name');
  });

  it('wants every label of the node selector', () => {
    expect(on({ nodeSelector: { disk: 'ssd', zone: 'a' } }, { disk: 'ssd', zone: 'a' })).toBeUndefined();
    expect(on({ nodeSelector: { disk: 'ssd', zone: 'a' } }, { disk: 'ssd' })).toBe('node selector');
  });

  const taint: Taint = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' };
  const toleration = (given: Partial<Toleration>): Toleration => ({
    key: 'dedicated',
    operator: 'Equal',
    value: 'gpu',
    effect: undefined,
    ...given,
  });

  it.each([
    [[], false],
    [[toleration({})], true],
    [[toleration({ value: 'cpu' })], false],
    [[toleration({ operator: 'Exists', value: '' })], true],
    [[toleration({ key: undefined, operator: 'Exists' })], true],
    [[toleration({ effect: 'NoExecute' })], false],
    [[toleration({ effect: 'NoSchedule' })], true],
    [[toleration({ key: 'other' })], false],
  ])('reads tolerations %j', (tolerations, isFree) => {
    const tainted = node('n', { taints: [taint] });
    expect(obstacleFor(workload('w', [], { tolerations }), tainted)).toBe(isFree ? undefined : 'taints');
  });

  it('forbids nothing for a taint that would rather not, and likes it less', () => {
    const soft = node('n', { taints: [{ ...taint, effect: 'PreferNoSchedule' }] });
    expect(obstacleFor(workload('w', []), soft)).toBeUndefined();
    expect(preferenceFor(workload('w', []), soft)).toBeLessThan(preferenceFor(workload('w', []), node('n')));
  });

  it('lets DaemonSets onto nodes that are cordoned', () => {
    const cordoned = node('n', {
      taints: [{ key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' }],
    });
    expect(obstacleFor(workload('w', []), cordoned)).toBe('taints');
    expect(obstacleFor({ ...workload('w', []), kind: 'DaemonSet' }, cordoned)).toBeUndefined();
  });

  it('wants the platform that is said outright', () => {
    const arm = node('n', { arm: true });
    expect(obstacleFor(workload('w', [], { os: 'windows' }), arm)).toBe('platform');
    expect(obstacleFor(workload('w', [], { platform: 'linux/amd64' }), arm)).toBe('platform');
    expect(obstacleFor(workload('w', [], { platform: 'linux/arm64/v8' }), arm)).toBeUndefined();
    expect(obstacleFor(workload('w', [], { platform: 'nonsense' }), arm)).toBe('platform');
  });
});

describe('preferenceFor()', () => {
  it('adds up the weights of the terms that hold', () => {
    const preferredNodeTerms = [
      { ...term(need('fast', 'Exists')), weight: 80 },
      { ...term(need('near', 'Exists')), weight: 5 },
      { ...term(need('none', 'Exists')), weight: 50 },
    ];
    const labels = { fast: '', near: '' };
    expect(preferenceFor(workload('w', [], { preferredNodeTerms }), node('n', { labels }))).toBe(85);
  });
});
