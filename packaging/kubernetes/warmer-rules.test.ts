import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { ANNOUNCERS } from '../../warmer/schedule/announce/announcers.ts';
import { knownKinds } from '../../warmer/sources/extract/kinds.ts';
import { RULES_FILE, resourceOf, warmerRules } from './warmer-rules.ts';

describe('warmerRules()', () => {
  it('is what the chart has (node packaging/kubernetes/warmer-rules.ts writes it again)', () => {
    expect(readFileSync(RULES_FILE, 'utf8')).toBe(warmerRules());
  });

  it('reads, and nothing else, what the tables name', () => {
    const rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[] = parse(warmerRules());
    expect(new Set(rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(['list', 'watch', 'get']));
    const granted = new Set(
      rules.flatMap(({ apiGroups, resources }) => resources.map((name) => `${name}.${apiGroups[0]}`)),
    );
    const missing = knownKinds().filter(({ kind, group }) => !granted.has(`${resourceOf(kind)}.${group}`));
    expect(missing.map(({ kind, group }) => `${kind}.${group}`)).toEqual([
      'Deployment.extensions',
      'ReplicaSet.extensions',
      'DaemonSet.extensions',
      'DeploymentConfig.',
    ]);
    const announced = ANNOUNCERS.flatMap(({ groups, kinds }) =>
      groups.flatMap((group) => kinds.map((kind) => ({ kind, group }))),
    );
    const unheard = announced.filter(
      ({ kind, group }) => group !== '*' && !granted.has(`${resourceOf(kind)}.${group}`),
    );
    // Rows pair every kind with every group; these two kinds are of the other group.
    expect(unheard.map(({ kind, group }) => `${kind}.${group}`)).toEqual([
      'Deployment.apps.kruise.io',
      'JobSet.batch',
      'Job.jobset.x-k8s.io',
    ]);
    expect([...granted].filter((name) => /secrets|configmaps/.test(name))).toEqual([]);
  });
});

describe('resourceOf()', () => {
  it.each([
    ['Pod', 'pods'],
    ['ImagePolicy', 'imagepolicies'],
    ['Prometheus', 'prometheuses'],
    ['CronFederatedHPA', 'cronfederatedhpas'],
  ])('names those of %s %s', (kind, resource) => {
    expect(resourceOf(kind)).toBe(resource);
  });
});
