/** What the checks judge. Gathering never fails: what could not be learned is the reason why. */
import type { NodeConfig } from '../../plugin/config.ts';
import type { ContainerdFiles } from '../install/containerd-files.ts';

/** A fact, or why it could not be had. */
export type Known<T> = { readonly value: T } | { readonly reason: string };

export interface DoctorFacts {
  readonly configFile: string;
  /** Every default when there is no file. */
  readonly config: Known<NodeConfig>;
  readonly hasConfigFile: boolean;
  readonly containerdFile: string;
  readonly containerd: Known<ContainerdFiles>;
  /** `major.minor` of the containerd on this machine. */
  readonly containerdVersion: Known<{ major: number; minor: number; text: string }>;
  /** Whether somebody answers on `content.socket`. */
  readonly isPluginServed: boolean;
  readonly root: Known<RootFacts>;
  /** What `/readyz` of the admin address says. */
  readonly readiness: Known<{ ready: boolean; reason: string }>;
  /** `upstream.docker_config`: readable and JSON; undefined when there is none, and none is asked for. */
  readonly dockerConfig: Known<{ file: string } | undefined>;
  readonly limits: Known<LimitFacts>;
  /** As the daemon tells. */
  readonly mesh: Known<MeshFacts>;
}

export interface MeshFacts {
  /** Members alive, this node included. */
  readonly alive: number;
  readonly banned: readonly string[];
}

export interface RootFacts {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Mount points below the root, which hard links cannot cross. */
  readonly mounts: readonly string[];
  /** Why a file could not be made and linked there; undefined when it could. */
  readonly linkFailure: string | undefined;
}

export interface LimitFacts {
  /** Open files that this user's processes may have at most (hard limit). */
  readonly openFiles: number;
  readonly inotifyInstances: number;
}

export type Level = 'ok' | 'warning' | 'problem' | 'unknown';

export interface Finding {
  /** Stable, for scripts. */
  readonly check: string;
  readonly level: Level;
  readonly says: string;
  /** What to do, ready to type where that is possible. */
  readonly fix?: string;
}
