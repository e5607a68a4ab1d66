/** What is kept of an object that a cluster has, and which objects tell what will run next. Pure. */
import { rowOf } from '../extract/kinds.ts';
import { field, isRecord, listField, type PlainRecord, textField } from '../extract/values.ts';

/** A copy of the whole object, as old as the last `kubectl apply`. */
const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** Their status is the largest part of them, and tells nothing of what will run. */
const WITHOUT_STATUS = new Set(['Pod', 'ReplicaSet']);
/** Made anew by what owns them, whenever that changes. */
const REVISIONS = new Set(['ReplicaSet', 'ReplicationController', 'Job', 'Revision', 'TaskRun', 'Workflow']);

const CONTAINER_LISTS = new Set(['containers', 'initContainers', 'ephemeralContainers', 'sidecars', 'steps']);
const CONTAINER_DETAILS = new Set([
  ...['env', 'envFrom', 'resources', 'ports', 'lifecycle', 'securityContext', 'volumeMounts', 'volumeDevices'],
  ...['livenessProbe', 'readinessProbe', 'startupProbe', 'terminationMessagePath', 'terminationMessagePolicy'],
]);
/** Pod templates are some ten levels deep. */
const DEPTH_MAX = 40;

/** The object without what is long and says nothing. */
export function trimmed(object: PlainRecord): PlainRecord {
  const { metadata, status, ...rest } = object;
  const { managedFields: _, annotations, ...kept } = isRecord(metadata) ? metadata : {};
  const { [APPLIED]: __, ...others } = isRecord(annotations) ? annotations : {};
  const kind = textField(object, 'kind') ?? '';
  const keptStatus = kind === 'Node' ? nodeStatus(status) : WITHOUT_STATUS.has(kind) ? undefined : status;
  const values = { ...rest, metadata: { ...kept, annotations: others } };
  return keptStatus === undefined ? values : { ...values, status: keptStatus };
}

/**
 * Leaves out, in the object itself, what containers say besides their images and arguments: it is the largest part of most objects,
 * and an environment may hold secrets. Not for objects that rules of the user look into.
 */
export function dropContainerDetails(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return;
  for (const [key, child] of Object.entries(value)) {
    if (Array.isArray(child) && CONTAINER_LISTS.has(key))
      for (const [at, one] of child.entries()) child[at] = lean(one);
    else dropContainerDetails(child, depth + 1);
  }
}

/**
 * A pod without what only a mesh or the kubelet looks at: notes of injectors are kilobytes, and there are as many as pods. Not for
 * objects that rules of the user look into.
 */
export function withoutNotes(pod: PlainRecord): PlainRecord {
  const { annotations: _, labels: __, ...metadata } = isRecord(pod.metadata) ? pod.metadata : {};
  const { volumes: ___, ...spec } = isRecord(pod.spec) ? pod.spec : {};
  const images = listField(pod, 'spec', 'volumes').filter((volume) => field(volume, 'image') !== undefined);
  return { ...pod, metadata, spec: { ...spec, ...(images.length > 0 && { volumes: images }) } };
}

function lean(container: unknown): unknown {
  if (!isRecord(container)) return container;
  return Object.fromEntries(Object.entries(container).filter(([key]) => !CONTAINER_DETAILS.has(key)));
}

/** Not its images: it tells fifty of them at most (kubelet `nodeStatusMaxImages`), so that their absence means nothing. */
function nodeStatus(status: unknown): PlainRecord {
  return { nodeInfo: field(status, 'nodeInfo'), allocatable: field(status, 'allocatable') };
}

/** False for what is over, what is going, and what an owner that we read will replace by something newer. */
export function isCurrent(object: PlainRecord): boolean {
  if (field(object, 'metadata', 'deletionTimestamp') !== undefined) return false;
  const kind = textField(object, 'kind') ?? '';
  if (kind === 'Pod') return !['Succeeded', 'Failed'].includes(textField(object, 'status', 'phase') ?? '');
  if (kind === 'Job' && isFinished(object)) return false;
  const owner = REVISIONS.has(kind) ? controllerOf(object) : undefined;
  if (owner === undefined) return true;
  const isKnown = rowOf(textField(owner, 'kind') ?? '', textField(owner, 'apiVersion') ?? '') !== undefined;
  return !isKnown && field(object, 'spec', 'replicas') !== 0;
}

/** The reference of an object to what made it and keeps it. */
export function controllerOf(object: PlainRecord): unknown {
  return listField(object, 'metadata', 'ownerReferences').find((owner) => field(owner, 'controller') === true);
}

function isFinished(job: PlainRecord): boolean {
  return listField(job, 'status', 'conditions').some(
    (condition) =>
      ['Complete', 'Failed'].includes(textField(condition, 'type') ?? '') && textField(condition, 'status') === 'True',
  );
}

/**
 * A pod of a controller as the next one will be made: pods tell of containers that were put into them on the way (meshes, agents),
 * which no template has, but the node that this one got is not where the next one goes. Pods that a node has of itself stay as
 * they are.
 */
export function asTemplate(pod: PlainRecord): PlainRecord {
  const controller = controllerOf(pod);
  if (controller === undefined || textField(controller, 'kind') === 'Node') return pod;
  const { nodeName: _, affinity, ...spec } = isRecord(pod.spec) ? pod.spec : {};
  return { ...pod, spec: { ...spec, ...(affinity !== undefined && { affinity: withoutNode(affinity) }) } };
}

/** A DaemonSet's controller binds each pod to its node by name. */
function withoutNode(affinity: unknown): unknown {
  const nodeAffinity = field(affinity, 'nodeAffinity');
  const required = field(nodeAffinity, 'requiredDuringSchedulingIgnoredDuringExecution');
  if (!isRecord(affinity) || !isRecord(nodeAffinity) || required === undefined) return affinity;
  const terms = listField(required, 'nodeSelectorTerms').map((term) => {
    const { matchFields: _, ...rest } = isRecord(term) ? term : {};
    return rest;
  });
  const { requiredDuringSchedulingIgnoredDuringExecution: _, ...others } = nodeAffinity;
  // A term of nothing else holds nowhere; without it every node is meant, which is true.
  const isBound = terms.some((term) => listField(term, 'matchExpressions').length === 0);
  const kept = isBound ? {} : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } };
  return { ...affinity, nodeAffinity: { ...others, ...kept } };
}
