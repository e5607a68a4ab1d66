/** Kinds whose pods are made by Argo and Tekton. Data. */
import type { EmbeddedPlace, ImagePlace, KindRow, PodPlace, TemplateReference } from './kind-row.ts';

const ARGO_IMAGES: readonly ImagePlace[] = [
  { path: 'container.image', role: 'container' },
  { path: 'script.image', role: 'container' },
  { path: 'containerSet.containers[].image', role: 'container' },
  { path: 'initContainers[].image', role: 'init' },
  { path: 'sidecars[].image', role: 'container' },
  { path: 'volumes[].image.reference', role: 'volume' },
];

/** A workflow below a path. What a template does not say, the workflow says. */
function argoPlaces(spec: string): PodPlace[] {
  const template = (at: string): PodPlace => ({
    at: `${spec}.${at}`,
    images: ARGO_IMAGES,
    scheduling: [`${spec}.${at}`, `${spec}.templateDefaults`, spec],
  });
  return [
    template('templates[]'),
    template('templateDefaults'),
    template('templates[].steps[][].inline'),
    template('templates[].dag.tasks[].inline'),
    { at: spec, images: [{ path: 'volumes[].image.reference', role: 'volume' }] },
  ];
}

function workflowTemplate(spec: string): TemplateReference {
  return {
    at: `${spec}.workflowTemplateRef`,
    kind: 'WorkflowTemplate',
    group: 'argoproj.io',
    clusterKind: { key: 'clusterScope', kind: 'ClusterWorkflowTemplate' },
  };
}

/** Patches of the pod, and objects that a step makes. */
function argoTexts(spec: string): EmbeddedPlace[] {
  return [
    { at: `${spec}.podSpecPatch`, holds: 'pod' },
    { at: `${spec}.templates[].podSpecPatch`, holds: 'pod' },
    { at: `${spec}.templates[].resource.manifest`, holds: 'objects' },
  ];
}

const TEKTON_IMAGES: readonly ImagePlace[] = [
  { path: 'steps[].image', role: 'container' },
  { path: 'stepTemplate.image', role: 'container' },
  { path: 'sidecars[].image', role: 'container' },
  { path: 'volumes[].image.reference', role: 'volume' },
];

function tektonPlace(at: string, scheduling?: readonly string[]): PodPlace {
  return { at, images: TEKTON_IMAGES, ...(scheduling !== undefined && { scheduling }) };
}

const RUN_POD_TEMPLATES = ['spec.podTemplate', 'spec.taskRunTemplate.podTemplate', 'spec.taskRunTemplate', 'spec'];

export const WORKFLOW_KINDS: readonly KindRow[] = [
  {
    kinds: ['Workflow', 'WorkflowTemplate', 'ClusterWorkflowTemplate'],
    groups: ['argoproj.io'],
    pods: argoPlaces('spec'),
    templateFrom: [workflowTemplate('spec')],
    embedded: argoTexts('spec'),
  },
  {
    kinds: ['CronWorkflow'],
    groups: ['argoproj.io'],
    pods: argoPlaces('spec.workflowSpec'),
    templateFrom: [workflowTemplate('spec.workflowSpec')],
    embedded: argoTexts('spec.workflowSpec'),
  },
  {
    kinds: ['Rollout'],
    groups: ['argoproj.io'],
    pods: [{ at: 'spec.template.spec', replicas: ['spec.replicas'] }],
    templateFrom: [{ at: 'spec.workloadRef', kind: 'Deployment', group: 'apps' }],
  },
  {
    kinds: ['Experiment'],
    groups: ['argoproj.io'],
    pods: [{ at: 'spec.templates[].template.spec', replicas: ['spec.templates[].replicas'] }],
  },
  {
    kinds: ['AnalysisTemplate', 'ClusterAnalysisTemplate', 'AnalysisRun'],
    groups: ['argoproj.io'],
    pods: [{ at: 'spec.metrics[].provider.job.spec.template.spec' }],
  },
  { kinds: ['Task', 'ClusterTask'], groups: ['tekton.dev'], pods: [tektonPlace('spec')] },
  {
    kinds: ['StepAction'],
    groups: ['tekton.dev'],
    pods: [{ at: 'spec', images: [{ path: 'image', role: 'container' }] }],
  },
  {
    kinds: ['Pipeline'],
    groups: ['tekton.dev'],
    pods: [tektonPlace('spec.tasks[].taskSpec'), tektonPlace('spec.finally[].taskSpec')],
  },
  { kinds: ['TaskRun'], groups: ['tekton.dev'], pods: [tektonPlace('spec.taskSpec', RUN_POD_TEMPLATES)] },
  {
    kinds: ['PipelineRun'],
    groups: ['tekton.dev'],
    pods: [
      tektonPlace('spec.pipelineSpec.tasks[].taskSpec', RUN_POD_TEMPLATES),
      tektonPlace('spec.pipelineSpec.finally[].taskSpec', RUN_POD_TEMPLATES),
    ],
  },
];
