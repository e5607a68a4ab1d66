/** Kinds of model serving, training and data processing: KServe, KubeRay, Kubeflow, Spark, Volcano. Data. */
import { type ImagePlace, type KindRow, type PodPlace, POD_SPEC_IMAGES } from './kind-row.ts';

/** A model that is an OCI artifact; other schemes (`s3://`, `pvc://`) are no images. */
const OCI_SCHEMES = ['oci://', 'oci+native://', 'oci+fetch://'];

const KSERVE_IMAGES: readonly ImagePlace[] = [
  ...POD_SPEC_IMAGES,
  { path: '*.storageUri', role: 'artifact', schemes: OCI_SCHEMES },
];

/** The pods of an InferenceService's component, and those of its workers, which are a PodSpec of their own. */
function kservePlaces(component: string): PodPlace[] {
  return [
    { at: component, images: KSERVE_IMAGES, replicas: [`${component}.minReplicas`] },
    { at: `${component}.workerSpec` },
  ];
}

function rayPlaces(spec: string): PodPlace[] {
  return [
    { at: `${spec}.headGroupSpec.template.spec` },
    { at: `${spec}.workerGroupSpecs[].template.spec`, replicas: [`${spec}.workerGroupSpecs[].replicas`] },
  ];
}

/** Driver and executors run the image of the whole unless they name their own. */
function sparkPlaces(spec: string): PodPlace[] {
  const part = (name: string): ImagePlace[] => [
    { path: `${name}.image`, role: 'container' },
    { path: `${name}.initContainers[].image`, role: 'init' },
    { path: `${name}.sidecars[].image`, role: 'container' },
  ];
  const whole: ImagePlace = { path: 'image', role: 'container' };
  return [
    { at: spec, images: [whole, ...part('driver')], scheduling: [`${spec}.driver`, spec] },
    {
      at: spec,
      images: [whole, ...part('executor')],
      scheduling: [`${spec}.executor`, spec],
      replicas: [`${spec}.executor.instances`],
    },
  ];
}

export const LEARNING_KINDS: readonly KindRow[] = [
  {
    kinds: ['InferenceService'],
    groups: ['serving.kserve.io', 'serving.kubeflow.org'],
    pods: ['spec.predictor', 'spec.transformer', 'spec.explainer'].flatMap(kservePlaces),
    templateFrom: [{ at: 'spec.predictor.model.runtime', kind: 'ServingRuntime', group: 'serving.kserve.io' }],
  },
  {
    kinds: ['ServingRuntime', 'ClusterServingRuntime'],
    groups: ['serving.kserve.io'],
    pods: [{ at: 'spec' }, { at: 'spec.workerSpec' }],
  },
  {
    kinds: ['LLMInferenceService', 'LLMInferenceServiceConfig'],
    groups: ['serving.kserve.io'],
    pods: [
      { at: 'spec.template', replicas: ['spec.replicas'] },
      { at: 'spec.worker' },
      { at: 'spec.prefill.template', replicas: ['spec.prefill.replicas'] },
      { at: 'spec.prefill.worker' },
      { at: 'spec.router.scheduler.template' },
      { at: 'spec.model', images: [{ path: 'uri', role: 'artifact', schemes: OCI_SCHEMES }] },
    ],
  },
  { kinds: ['RayCluster'], groups: ['ray.io'], pods: rayPlaces('spec') },
  {
    kinds: ['RayJob'],
    groups: ['ray.io'],
    pods: [...rayPlaces('spec.rayClusterSpec'), { at: 'spec.submitterPodTemplate.spec' }],
  },
  { kinds: ['RayService'], groups: ['ray.io'], pods: rayPlaces('spec.rayClusterConfig') },
  {
    kinds: ['RayCronJob'],
    groups: ['ray.io'],
    pods: [...rayPlaces('spec.jobTemplate.rayClusterSpec'), { at: 'spec.jobTemplate.submitterPodTemplate.spec' }],
  },
  {
    kinds: ['TFJob', 'PyTorchJob', 'MPIJob', 'XGBoostJob', 'PaddleJob', 'JAXJob', 'MXJob'],
    groups: ['kubeflow.org'],
    pods: [{ at: 'spec.*ReplicaSpecs.*.template.spec', replicas: ['spec.*ReplicaSpecs.*.replicas'] }],
  },
  {
    kinds: ['TrainingRuntime', 'ClusterTrainingRuntime'],
    groups: ['trainer.kubeflow.org'],
    pods: [{ at: 'spec.template.spec.replicatedJobs[].template.spec.template.spec' }],
  },
  {
    kinds: ['TrainJob'],
    groups: ['trainer.kubeflow.org'],
    pods: [{ at: 'spec.trainer', images: [{ path: 'image', role: 'container' }], replicas: ['spec.trainer.numNodes'] }],
    templateFrom: [{ at: 'spec.runtimeRef', kind: 'ClusterTrainingRuntime', group: 'trainer.kubeflow.org' }],
  },
  { kinds: ['SparkApplication'], groups: ['sparkoperator.k8s.io'], pods: sparkPlaces('spec') },
  { kinds: ['ScheduledSparkApplication'], groups: ['sparkoperator.k8s.io'], pods: sparkPlaces('spec.template') },
  {
    kinds: ['Job'],
    groups: ['batch.volcano.sh'],
    pods: [{ at: 'spec.tasks[].template.spec', replicas: ['spec.tasks[].replicas'] }],
  },
];
