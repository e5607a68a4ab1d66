import { describe, expect, it } from '@jest/globals';
import { findImages } from './find-images.ts';
import { linkTemplates } from './link-templates.ts';
import { textDocuments } from './text-documents.ts';
import type { Workload } from './workload.ts';

function workloadsOf(text: string): Workload[] {
  return [...textDocuments(text, 'f.yaml')].flatMap((item) =>
    item.kind === 'document' ? findImages(item.document).workloads : [],
  );
}

const ROLLOUT =
  'apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r, namespace: shop}\nspec: {replicas: 9, workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n';
const deployment = (namespace: string, image: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: ${namespace}}\nspec: {replicas: 0, template: {spec: {nodeSelector: {a: b}, containers: [{image: "${image}"}]}}}\n`;
const RUNTIME =
  'apiVersion: serving.kserve.io/v1alpha1\nkind: ClusterServingRuntime\nmetadata: {name: rt}\nspec: {containers: [{image: "runtime:1"}]}\n';
const SERVICE =
  'apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: llm, namespace: ml}\nspec: {predictor: {nodeSelector: {gpu: "1"}, model: {runtime: rt, storageUri: "oci://models/llm:1"}}}\n';

describe('linkTemplates()', () => {
  it('gives a rollout the template that it names, in its own namespace', () => {
    const found = linkTemplates(
      workloadsOf([deployment('other', 'wrong:1'), ROLLOUT, deployment('shop', 'web:1')].join('---\n')),
    );
    const rollout = found.workloads.find(({ kind }) => kind === 'Rollout');
    expect(rollout?.images.map(({ reference }) => reference)).toEqual(['docker.io/library/web:1']);
    expect(rollout).toMatchObject({ replicas: 9, pod: { nodeSelector: { a: 'b' } } });
    expect(found.unresolved).toEqual([]);
  });

  it('adds a runtime to what a service says itself, and keeps its constraints', () => {
    const [service] = linkTemplates(workloadsOf(`${SERVICE}---\n${RUNTIME}`)).workloads;
    expect(service?.images.map(({ reference }) => reference)).toEqual([
      'docker.io/models/llm:1',
      'docker.io/library/runtime:1',
    ]);
    expect(service?.pod.nodeSelector).toEqual({ gpu: '1' });
  });

  it('tells of what is not there, and ends in circles', () => {
    expect(linkTemplates(workloadsOf(ROLLOUT)).unresolved).toEqual([
      expect.objectContaining({
        line: 1,
        value: 'web',
        reason: 'Its template is that of Deployment "web", which no source has',
      }),
    ]);
    const circle = ROLLOUT.replace(
      'apps/v1, kind: Deployment, name: web',
      'argoproj.io/v1alpha1, kind: Rollout, name: r',
    );
    expect(linkTemplates(workloadsOf(circle)).unresolved).toHaveLength(1);
  });
});
