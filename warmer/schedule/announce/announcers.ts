/** Who announces scale-outs: one row for each kind. Data. */
import type { AnnouncerRow } from './announcement.ts';
import { announceArgoRollout } from './argo-rollout.ts';
import { announceCapacityBuffer } from './capacity-buffer.ts';
import { announceCronFederatedHpa } from './cron-federated-hpa.ts';
import { announceCronHpa } from './cron-hpa.ts';
import { announceCronJob } from './cron-job.ts';
import { announceCronWorkflow } from './cron-workflow.ts';
import { announceDownscaler } from './downscaler.ts';
import { announceImagePolicy, announceImageUpdater } from './image-updates.ts';
import { announceNodeClaim, announceNodePool } from './karpenter.ts';
import { announceKeda } from './keda.ts';
import { announceKnative } from './knative.ts';
import { announceKubeGreen } from './kube-green.ts';
import { announceAdvancedCronJob, announceRayCronJob } from './plain-cron.ts';
import { announceRollout } from './rollout.ts';
import { announceSuspended } from './suspended.ts';
import { announceSyncWindows } from './sync-windows.ts';

/** An object may match several rows. HorizontalPodAutoscaler has none: it tells sizes, never times. */
export const ANNOUNCERS: readonly AnnouncerRow[] = [
  { groups: ['keda.sh'], kinds: ['ScaledObject', 'ScaledJob'], announce: announceKeda },
  { groups: ['autoscaling.alibabacloud.com'], kinds: ['CronHorizontalPodAutoscaler'], announce: announceCronHpa },
  { groups: ['autoscaling.karmada.io'], kinds: ['CronFederatedHPA'], announce: announceCronFederatedHpa },
  { groups: ['kube-green.com'], kinds: ['SleepInfo'], announce: announceKubeGreen },
  {
    groups: ['*'],
    kinds: ['Namespace', 'Deployment', 'StatefulSet', 'Rollout', 'Stack', 'HorizontalPodAutoscaler', 'ScaledObject'],
    announce: announceDownscaler,
  },
  { groups: ['batch'], kinds: ['CronJob'], announce: announceCronJob },
  { groups: ['argoproj.io'], kinds: ['CronWorkflow'], announce: announceCronWorkflow },
  { groups: ['apps.kruise.io'], kinds: ['AdvancedCronJob'], announce: announceAdvancedCronJob },
  { groups: ['ray.io'], kinds: ['RayCronJob'], announce: announceRayCronJob },
  { groups: ['apps', 'apps.kruise.io'], kinds: ['Deployment', 'StatefulSet', 'DaemonSet'], announce: announceRollout },
  { groups: ['argoproj.io'], kinds: ['Rollout'], announce: announceArgoRollout },
  { groups: ['argoproj.io'], kinds: ['AppProject'], announce: announceSyncWindows },
  { groups: ['argocd-image-updater.argoproj.io'], kinds: ['ImageUpdater'], announce: announceImageUpdater },
  { groups: ['image.toolkit.fluxcd.io'], kinds: ['ImagePolicy'], announce: announceImagePolicy },
  { groups: ['serving.knative.dev'], kinds: ['Service'], announce: announceKnative },
  { groups: ['karpenter.sh'], kinds: ['NodePool'], announce: announceNodePool },
  { groups: ['karpenter.sh'], kinds: ['NodeClaim'], announce: announceNodeClaim },
  { groups: ['autoscaling.x-k8s.io'], kinds: ['CapacityBuffer'], announce: announceCapacityBuffer },
  { groups: ['batch', 'jobset.x-k8s.io'], kinds: ['Job', 'JobSet'], announce: announceSuspended },
];
