/** Kubernetes' own kinds, and those that wrap a pod template as these do. Data. */
import { type ImagePlace, type KindRow, POD_SPEC_IMAGES } from './kind-row.ts';

const WARM_LIST: readonly ImagePlace[] = [
  { path: 'image', role: 'listed' },
  { path: 'images[]', role: 'listed' },
];

export const KUBERNETES_KINDS: readonly KindRow[] = [
  { kinds: ['Pod'], groups: [''], pods: [{ at: 'spec' }] },
  { kinds: ['PodTemplate'], groups: [''], pods: [{ at: 'template.spec' }] },
  {
    kinds: ['Deployment', 'ReplicaSet'],
    groups: ['apps', 'extensions'],
    pods: [{ at: 'spec.template.spec', replicas: ['spec.replicas'] }],
  },
  {
    kinds: ['StatefulSet'],
    groups: ['apps', 'apps.kruise.io'],
    pods: [{ at: 'spec.template.spec', replicas: ['spec.replicas'] }],
  },
  {
    kinds: ['DaemonSet'],
    groups: ['apps', 'extensions', 'apps.kruise.io'],
    pods: [{ at: 'spec.template.spec', isOnEveryNode: true }],
  },
  {
    kinds: ['ReplicationController'],
    groups: [''],
    pods: [{ at: 'spec.template.spec', replicas: ['spec.replicas'] }],
  },
  {
    kinds: ['DeploymentConfig'],
    groups: ['apps.openshift.io', ''],
    pods: [{ at: 'spec.template.spec', replicas: ['spec.replicas'] }],
  },
  { kinds: ['Job'], groups: ['batch'], pods: [{ at: 'spec.template.spec', replicas: ['spec.parallelism'] }] },
  {
    kinds: ['CronJob'],
    groups: ['batch'],
    pods: [{ at: 'spec.jobTemplate.spec.template.spec', replicas: ['spec.jobTemplate.spec.parallelism'] }],
  },
  {
    kinds: ['CloneSet'],
    groups: ['apps.kruise.io'],
    pods: [{ at: 'spec.template.spec', replicas: ['spec.replicas'] }],
  },
  { kinds: ['BroadcastJob'], groups: ['apps.kruise.io'], pods: [{ at: 'spec.template.spec', isOnEveryNode: true }] },
  {
    kinds: ['UnitedDeployment'],
    groups: ['apps.kruise.io'],
    pods: [
      { at: 'spec.template.statefulSetTemplate.spec.template.spec', replicas: ['spec.replicas'] },
      { at: 'spec.template.advancedStatefulSetTemplate.spec.template.spec', replicas: ['spec.replicas'] },
      { at: 'spec.template.cloneSetTemplate.spec.template.spec', replicas: ['spec.replicas'] },
      { at: 'spec.template.deploymentTemplate.spec.template.spec', replicas: ['spec.replicas'] },
    ],
  },
  { kinds: ['SidecarSet'], groups: ['apps.kruise.io'], pods: [{ at: 'spec' }] },
  {
    kinds: ['AdvancedCronJob'],
    groups: ['apps.kruise.io'],
    pods: [
      { at: 'spec.template.jobTemplate.spec.template.spec', replicas: ['spec.template.jobTemplate.spec.parallelism'] },
      { at: 'spec.template.broadcastJobTemplate.spec.template.spec', isOnEveryNode: true },
      { at: 'spec.template.imageListPullJobTemplate.spec', images: WARM_LIST },
    ],
  },
  {
    kinds: ['ImagePullJob', 'ImageListPullJob'],
    groups: ['apps.kruise.io'],
    pods: [{ at: 'spec', images: WARM_LIST }],
  },
  {
    kinds: ['ImageCache'],
    groups: ['kubefledged.io', 'kubefledged.k8s.io'],
    pods: [
      {
        at: 'spec.cacheSpec[]',
        images: [...WARM_LIST, { path: 'images[].name', role: 'listed' }],
        scheduling: ['spec.cacheSpec[]', 'spec'],
      },
    ],
  },
  { kinds: ['Image'], groups: ['caching.internal.knative.dev'], pods: [{ at: 'spec', images: WARM_LIST }] },
  {
    kinds: ['PinnedImageSet'],
    groups: ['machineconfiguration.openshift.io'],
    pods: [{ at: 'spec', images: [{ path: 'pinnedImages[].name', role: 'listed' }] }],
  },
  {
    kinds: ['Service', 'Configuration'],
    groups: ['serving.knative.dev'],
    pods: [{ at: 'spec.template.spec' }],
  },
  { kinds: ['Revision'], groups: ['serving.knative.dev'], pods: [{ at: 'spec' }] },
  {
    kinds: ['LeaderWorkerSet'],
    groups: ['leaderworkerset.x-k8s.io'],
    pods: [
      { at: 'spec.leaderWorkerTemplate.leaderTemplate.spec', replicas: ['spec.replicas'] },
      {
        at: 'spec.leaderWorkerTemplate.workerTemplate.spec',
        replicas: ['spec.replicas', 'spec.leaderWorkerTemplate.size'],
      },
    ],
  },
  {
    kinds: ['JobSet'],
    groups: ['jobset.x-k8s.io'],
    pods: [
      {
        at: 'spec.replicatedJobs[].template.spec.template.spec',
        replicas: ['spec.replicatedJobs[].replicas', 'spec.replicatedJobs[].template.spec.parallelism'],
      },
    ],
  },
  {
    kinds: ['ScaledJob'],
    groups: ['keda.sh'],
    pods: [{ at: 'spec.jobTargetRef.template.spec', replicas: ['spec.jobTargetRef.parallelism'] }],
  },
  {
    kinds: ['CapacityBuffer'],
    groups: ['autoscaling.x-k8s.io'],
    pods: [],
    templateFrom: [{ at: 'spec.podTemplateRef', kind: 'PodTemplate', group: '' }, { at: 'spec.scalableRef' }],
  },
  {
    kinds: ['Provider', 'Configuration', 'Function'],
    groups: ['pkg.crossplane.io'],
    pods: [{ at: 'spec', images: [{ path: 'package', role: 'artifact' }] }],
  },
  {
    kinds: ['DeploymentRuntimeConfig'],
    groups: ['pkg.crossplane.io'],
    pods: [{ at: 'spec.deploymentTemplate.spec.template.spec' }],
  },
  {
    kinds: ['Prometheus', 'PrometheusAgent', 'Alertmanager', 'ThanosRuler'],
    groups: ['monitoring.coreos.com'],
    pods: [
      {
        at: 'spec',
        images: [{ path: 'image', role: 'container' }, { path: 'thanos.image', role: 'container' }, ...POD_SPEC_IMAGES],
        replicas: ['spec.replicas'],
      },
    ],
  },
];
