/**
 * What the sources say of the things that will run: one workload for each pod template (or what stands for one), with
 * its images and where its pods may be put. Plain data, safe to keep and to print: no secret is in it.
 */

/** Where in a user's files something stands. */
export interface Position {
  /** As the user gave it, or found below it; `-` for stdin. */
  readonly file: string;
  /** 1-based in its file. */
  readonly document: number;
  /** 1-based. */
  readonly line: number;
}

/**
 * What an image is used as. `volume`: an image volume, any OCI artifact. `artifact`: a model or package that is no
 * runnable image. `listed`: somebody's list of images to warm.
 */
export type ImageRole = 'container' | 'init' | 'ephemeral' | 'volume' | 'artifact' | 'listed';

/** How it was found: by a row of the table of kinds, by its shape, by a rule of the user, or by a key named `image`. */
export type ExtractionRule =
  | 'kind'
  | 'structure'
  | 'user'
  | 'image-key'
  | 'argument'
  | 'configmap'
  | 'compose'
  | 'list';

/** One place that names an image. */
export interface ImageUse extends Position {
  /** `spec.template.spec.containers[0].image`. */
  readonly path: string;
  readonly rule: ExtractionRule;
  readonly role: ImageRole;
  /** As it is written there. */
  readonly image: string;
  /** In full: `docker.io/library/nginx:1.27`. */
  readonly reference: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** An object that another one names. */
export interface ObjectReference {
  /** Without its version; undefined when it is not said. */
  readonly group: string | undefined;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** One pod template of one object. */
export interface Workload extends Position {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** The path of what the pods are made from: `spec.template.spec`. */
  readonly template: string;
  readonly images: readonly ImageUse[];
  /** Pods that this template makes when it is scaled as written; undefined when it is not said. */
  readonly replicas: number | undefined;
  /** One pod on every node that it may be put on (DaemonSet, BroadcastJob). */
  readonly isOnEveryNode: boolean;
  readonly pod: PodConstraints;
  /** The template, or the rest of it, stands in another object (`workloadRef`, a serving runtime, …). */
  readonly templateFrom?: ObjectReference;
}

/** What decides which nodes a pod may be put on, and what its images are pulled with. */
export interface PodConstraints {
  readonly nodeName: string | undefined;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** `requiredDuringSchedulingIgnoredDuringExecution`: one of the terms must hold; undefined = no requirement. */
  readonly requiredNodeTerms: readonly NodeSelectorTerm[] | undefined;
  /** `preferredDuringSchedulingIgnoredDuringExecution`: orders the nodes, forbids none. */
  readonly preferredNodeTerms: readonly PreferredNodeTerm[];
  readonly tolerations: readonly Toleration[];
  /** `linux` or `windows`, when `os.name` says so. */
  readonly os: string | undefined;
  /** `os/arch[/variant]`, when it is said outright (docker compose). */
  readonly platform: string | undefined;
  readonly runtimeClassName: string | undefined;
  /** Names of secrets in the workload's namespace, in their order. */
  readonly imagePullSecrets: readonly string[];
  readonly serviceAccountName: string;
}

/** All of its requirements must hold; a term without any matches nothing (kubernetes/api core/v1). */
export interface NodeSelectorTerm {
  readonly labels: readonly NodeRequirement[];
  readonly fields: readonly NodeRequirement[];
}

/** A term and what it counts for, 1 to 100. */
export interface PreferredNodeTerm extends NodeSelectorTerm {
  readonly weight: number;
}

export interface NodeRequirement {
  readonly key: string;
  /** In, NotIn, Exists, DoesNotExist, Gt, Lt; others match nothing. */
  readonly operator: string;
  readonly values: readonly string[];
}

export interface Toleration {
  /** undefined with Exists: every taint. */
  readonly key: string | undefined;
  readonly operator: 'Exists' | 'Equal';
  readonly value: string;
  /** undefined: every effect. */
  readonly effect: string | undefined;
}
