import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parsePattern } from './extract/path-pattern.ts';
import { knownKinds } from './extract/kinds.ts';
import { type FindOptions, findImages } from './find-images.ts';
import { textDocuments } from './text-documents.ts';
import type { Unresolved } from './unresolved.ts';
import type { Workload } from './workload.ts';

function find(text: string, options: FindOptions = {}): { workloads: Workload[]; unresolved: Unresolved[] } {
  const workloads: Workload[] = [];
  const unresolved: Unresolved[] = [];
  for (const item of textDocuments(text, 'f.yaml')) {
    if (item.kind === 'unresolved') unresolved.push(item.unresolved);
    else {
      const found = findImages(item.document, options);
      workloads.push(...found.workloads);
      unresolved.push(...found.unresolved);
    }
  }
  return { workloads, unresolved };
}

const fixture = (name: string) =>
  readFileSync(join(resolve(import.meta.dirname, '../../test/fixtures/warmer/kinds'), name), 'utf8');

const used = ({ workloads }: { workloads: readonly Workload[] }) =>
  workloads.flatMap(({ images }) =>
    images.map(({ rule, path, line, reference }) => `${line} ${rule} ${path} ${reference}`),
  );

describe('findImages()', () => {
  it('gives one workload for each pod template, with where its pods may be put', () => {
    const { workloads } = find(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  template:
    spec:
      nodeSelector: {disk: ssd}
      nodeName: node-7
      serviceAccountName: runner
      runtimeClassName: gvisor
      os: {name: linux}
      imagePullSecrets: [{name: a}, {name: a}, {}]
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions: [{key: zone, operator: In, values: [a, b]}]
                matchFields: [{key: metadata.name, operator: NotIn, values: [x]}]
      tolerations:
        - {key: gpu, operator: Exists, effect: NoSchedule}
        - {key: k, value: v}
        - {operator: Exists}
        - {operator: Nonsense}
      containers: [{image: "web:1"}]
`);
    expect(workloads).toEqual([
      expect.objectContaining({
        ...{ file: 'f.yaml', document: 1, line: 8, kind: 'Deployment', namespace: 'shop', name: 'web' },
        ...{ template: 'spec.template.spec', replicas: 3, isOnEveryNode: false },
        pod: expect.objectContaining({
          nodeSelector: { disk: 'ssd' },
          nodeName: 'node-7',
          os: 'linux',
          runtimeClassName: 'gvisor',
          serviceAccountName: 'runner',
          imagePullSecrets: ['a'],
          requiredNodeTerms: [
            {
              labels: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }],
              fields: [{ key: 'metadata.name', operator: 'NotIn', values: ['x'] }],
            },
          ],
          tolerations: [
            { key: 'gpu', operator: 'Exists', value: '', effect: 'NoSchedule' },
            { key: 'k', operator: 'Equal', value: 'v', effect: undefined },
            { key: undefined, operator: 'Exists', value: '', effect: undefined },
          ],
        }),
      }),
    ]);
  });

  it('counts pods as each kind does', () => {
    const replicas = (file: string, name: string) =>
      find(fixture(file))
        .workloads.filter((one) => one.name === name)
        .map((one) => one.replicas);
    expect(replicas('core.yaml', 'web')).toEqual([8]);
    expect(replicas('core.yaml', 'nightly')).toEqual([3]);
    expect(replicas('core.yaml', 'agent')).toEqual([undefined]);
    expect(replicas('knative-and-lists.yaml', 'lws')).toEqual([2, 8]);
    expect(replicas('knative-and-lists.yaml', 'set')).toEqual([undefined, 6]);
    expect(replicas('learning.yaml', 'train')).toEqual([1, 8]);
    expect(replicas('learning.yaml', 'pi')).toEqual([undefined, 10]);
    expect(replicas('operators.yaml', 'buffer')).toEqual([3]);
    const everywhere = find(fixture('kruise.yaml'))
      .workloads.filter((one) => one.isOnEveryNode)
      .map(({ name }) => name);
    expect(everywhere).toEqual(['advanced-ds', 'everywhere', 'acj']);
  });

  it('lets parts of an object have constraints of their own, and inherit the rest', () => {
    const argo = find(fixture('argo.yaml')).workloads.find(({ template }) => template === 'spec.templates[1]');
    expect(argo?.pod.nodeSelector).toEqual({ pool: 'ci' });
    const [driver, executor] = find(fixture('learning.yaml')).workloads.filter(({ name }) => name === 'pi');
    expect(driver?.pod.nodeSelector).toEqual({ pool: 'drivers' });
    expect(executor?.pod.nodeSelector).toEqual({});
    const [run] = find(fixture('tekton.yaml')).workloads.filter(({ name }) => name === 'run-');
    expect(run?.pod).toMatchObject({ nodeSelector: { pool: 'ci' }, imagePullSecrets: ['ci-registry'] });
  });

  it("follows the user's rules where they point, into texts too", () => {
    const text = `apiVersion: example.com/v1
kind: Engine
metadata: {name: e}
spec:
  engineImage: engine:1
  parts: [{repository: registry.example/part, tag: "2"}, {img: 3}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data:
  app.yaml: |
    jobs:
      - image: inner:1
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: p}
    spec: {containers: [{image: "pod:1"}]}
  app.json: '{"deep": {"image": "json:1"}}'
  broken: "a: [x"
`;
    const rule = (path: string, kinds: string[], decode: 'none' | 'yaml' | 'json' = 'none') => ({
      kinds,
      decode,
      path: parsePattern(path),
    });
    const rules = [
      rule('spec.engineImage', ['Engine.example.com']),
      rule('spec.parts[]', ['Engine']),
      rule('spec.engineImage', ['Engine.other.com']),
      rule('data.*', ['ConfigMap'], 'yaml'),
    ];
    const found = find(text, { rules });
    expect(used(found)).toEqual([
      '5 user spec.engineImage docker.io/library/engine:1',
      '6 user spec.parts[0] registry.example/part:2',
      '14 user data["app.yaml"]!jobs[0].image docker.io/library/inner:1',
      '19 kind data["app.yaml"]!spec.containers[0].image docker.io/library/pod:1',
      '20 user data["app.json"]!deep.image docker.io/library/json:1',
    ]);
    expect(found.unresolved.map(({ line, reason }) => `${line} ${reason.slice(0, 20)}`)).toEqual([
      '6 Image is not a text',
      '21 The text at data.bro',
    ]);
  });

  it('takes any key named image only when asked for, and knows what is none', () => {
    const text = `image: registry.example/values:1
volumes: [{rbd: {image: block-device}}]
nested: [{image: "deep:1"}, {image: {repository: a}}]
status: {image: "seen:1"}
`;
    expect(used(find(text))).toEqual([]);
    expect(used(find(text, { anyImageKey: true }))).toEqual([
      '1 image-key image registry.example/values:1',
      '3 image-key nested[0].image docker.io/library/deep:1',
    ]);
    const engine = find(fixture('unknown.yaml'), { anyImageKey: true });
    expect(used(engine)).toContain('25 image-key spec.image registry.example/only-by-key:1');
    expect(JSON.stringify(engine)).not.toContain('registry.example/secret:1');
  });

  it('tells of kustomizations, which it does not apply', () => {
    const { workloads, unresolved } = find(
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages: [{name: a}]\n',
    );
    expect([workloads, unresolved.map(({ reason }) => reason)]).toEqual([
      [],
      [expect.stringMatching(/kustomize build/)],
    ]);
  });

  it('bounds what one document can name', () => {
    const items = Array.from({ length: 20_001 }, (_, index) => ({ image: `a:${index}` }));
    const { unresolved } = find(
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: items } }),
    );
    expect(unresolved.at(-1)?.reason).toMatch(/more than 20000 images/);
  });

  it('never throws, whatever an object holds', () => {
    const key = fc.constantFrom(
      ...[
        'spec',
        'template',
        'containers',
        'image',
        'volumes',
        'jobTemplate',
        'templates',
        'metadata',
        'replicas',
        'steps',
      ],
      ...[
        'tolerations',
        'affinity',
        'nodeSelector',
        'workloadRef',
        'podSpecPatch',
        'args',
        'env',
        'name',
        '__proto__',
        'constructor',
      ],
    );
    const { value } = fc.letrec<{ value: unknown; map: unknown; list: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom(null, 1, true, '', 'a:1', '${X}', '{{'),
        tie('map'),
        tie('list'),
      ),
      map: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
      list: fc.array(tie('value'), { maxLength: 3 }),
    }));
    const kinds = fc.constantFrom(...knownKinds(), { kind: 'Unknown', group: 'example.com' });
    fc.assert(
      fc.property(value, kinds, (spec, { kind, group }) => {
        const object = { apiVersion: group === '' ? 'v1' : `${group}/v1`, kind, metadata: { name: 'x' }, spec };
        const { workloads } = find(JSON.stringify(object), { anyImageKey: true });
        expect(workloads.every(({ images }) => images.every(({ line }) => line === 1))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
