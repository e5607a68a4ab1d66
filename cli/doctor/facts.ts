/** What the checks judge. Gathering never fails: what could not be learned is the reason why. */
import type { NodeConfig } from '../../plugin/config.ts';
import type { HostsFile } from '../install/hosts-plan.ts';
import type { ContainerdFiles } from '../install/containerd-files.ts';

/** A fact, or why it could not be had. */
export type Known<T> = { readonly value: T } | { readonly reason: string };

export interface DoctorFacts {
  /** Of this program. */
  readonly installedVersion: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly configFile: string;
  /** Every default when there is no file. */
  readonly config: Known<NodeConfig>;
  readonly hasConfigFile: boolean;
  readonly containerdFile: string;
  readonly containerd: Known<ContainerdFiles>;
  /** Of the containerd that runs, told over its socket; else of the program on this machine. */
  readonly containerdVersion: Known<ContainerdVersion>;
  /** Whether containerd answers on `content.containerd`; undefined when that is off. */
  readonly containerdAnswers: Known<true> | undefined;
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
  /** The daemon's own: what it runs and what its store holds. */
  readonly daemon: Known<DaemonFacts>;
  /** How other members are reached, tried now by the daemon. */
  readonly reach: Known<readonly ReachFacts[]>;
  /** Registries that this node has a credential for, and what each says to it. */
  readonly logins: Known<readonly LoginFacts[]>;
  /** containerd's hosts.toml files. */
  readonly hosts: Known<HostsFacts>;
}

export interface ContainerdVersion {
  readonly major: number;
  readonly minor: number;
  readonly text: string;
}

export interface DaemonFacts {
  readonly version: string;
  readonly cacheBytes: number;
  readonly pinBytes: number;
  readonly capacityBytes: number;
}

export interface ReachFacts {
  readonly member: string;
  readonly address: string;
  readonly meshPort: number;
  readonly peerPort: number;
  /** Why it could not be tried at all. */
  readonly failure: string | undefined;
  readonly udp: boolean;
  readonly tcp: boolean;
  readonly peer: boolean;
  readonly peerFailure: string | undefined;
  /** From there to here; undefined when it could not be asked. */
  readonly backUdp: boolean | undefined;
  readonly backTcp: boolean | undefined;
  /** Its clock less ours. */
  readonly skewMs: number | undefined;
}

export interface LoginFacts {
  /** As references name it. */
  readonly host: string;
  /** Where the credential is from, as people would look for it. */
  readonly from: string;
  readonly outcome: 'accepted' | 'refused' | 'not asked for' | 'unreachable';
  readonly reason: string;
}

export interface HostsFacts {
  /** `config_path` of CRI; undefined when containerd's configuration names none. */
  readonly configured: string | undefined;
  /** Where `files` are. */
  readonly directory: string;
  readonly files: readonly HostsFile[];
}

export interface MeshFacts {
  /** Members alive, this node included. */
  readonly alive: number;
  readonly banned: readonly string[];
  /** Why nobody of `mesh.join` let this node in, the last time. */
  readonly joinFailure: string | undefined;
  /** Addresses of `mesh.join` that take a TCP connection now. */
  readonly joinAnswers: readonly string[];
  readonly strangers: readonly { readonly address: string; readonly reason: string; readonly lastAtMs: number }[];
  /** Of every live member with our tag. */
  readonly versions: readonly { readonly member: string; readonly version: string }[];
  /** Tells keys apart without showing them; undefined without a key that can be read here. */
  readonly keyFingerprint: string | undefined;
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
  /** Files that the daemon may have open; of this process when it does not tell. */
  readonly openFiles: number;
  /** That it has open now; undefined when it does not tell. */
  readonly openFilesNow: number | undefined;
  readonly inotifyInstances: number;
  readonly inotifyWatches: number;
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
