/** What a row of the table of kinds can say. */
import type { ImageRole } from '../workload.ts';

/** Images below a place. */
export interface ImagePlace {
  /** A path pattern, relative to the place; where a list or a map of texts is meant, its wildcard is written. */
  readonly path: string;
  readonly role: ImageRole;
  /** Only values with this scheme are images, and are named without it (`oci://…` of model servers). */
  readonly schemes?: readonly string[];
}

/** One kind of pod template in an object. */
export interface PodPlace {
  /** Path pattern of a PodSpec, or of what stands for one. */
  readonly at: string;
  /** Default: those of a PodSpec. */
  readonly images?: readonly ImagePlace[];
  /** Path patterns of what has `nodeSelector`, `affinity` and the like, first come first; wildcards as in `at`. Default: `at`. */
  readonly scheduling?: readonly string[];
  /** Path patterns of numbers whose product is the number of pods; an absent one counts as 1. */
  readonly replicas?: readonly string[];
  readonly isOnEveryNode?: true;
}

/** Where an object names another that has its template. */
export interface TemplateReference {
  /** A map with `name`, and `kind` and `apiVersion` or `apiGroup` if it says them; or a name alone. */
  readonly at: string;
  /** What is meant when it does not say a kind. */
  readonly kind?: string;
  readonly group?: string;
  /** The kind that is meant when this key of the reference is true. */
  readonly clusterKind?: { readonly key: string; readonly kind: string };
}

/** A text that holds YAML or JSON of its own. */
export interface EmbeddedPlace {
  readonly at: string;
  /** `pod`: a PodSpec, or a part of one. `objects`: whole objects. */
  readonly holds: 'pod' | 'objects';
}

export interface KindRow {
  readonly kinds: readonly string[];
  /** API groups without versions; "" is the core. */
  readonly groups: readonly string[];
  readonly pods: readonly PodPlace[];
  readonly templateFrom?: readonly TemplateReference[];
  readonly embedded?: readonly EmbeddedPlace[];
}

/** The images of a PodSpec (kubernetes/api core/v1). */
export const POD_SPEC_IMAGES: readonly ImagePlace[] = [
  { path: 'containers[].image', role: 'container' },
  { path: 'initContainers[].image', role: 'init' },
  { path: 'ephemeralContainers[].image', role: 'ephemeral' },
  { path: 'volumes[].image.reference', role: 'volume' },
];
