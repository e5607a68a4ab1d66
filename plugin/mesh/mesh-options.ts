/** What a mesh needs and how it behaves. */
import type { Clock } from '../../core/runtime/clock.ts';
import type { HostPort } from '../../core/runtime/config-address.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { JoinAddress, NameResolver } from './joining/join-addresses.ts';
import type { PresetName, Timings } from './presets.ts';
import type { Tags } from './serf/tags.ts';
import type { Keyring } from './wire/keyring.ts';

export interface MeshDeps {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  readonly resolver?: NameResolver;
}

export interface MeshOptions {
  /** Unique in the mesh. */
  readonly name: string;
  readonly bind: HostPort;
  /** undefined: found from what is bound and the interfaces. */
  readonly advertise?: HostPort | undefined;
  readonly join: readonly JoinAddress[];
  readonly tags: Tags;
  /** Absent: nothing is sealed, and the mesh listens on loopback only unless `isInsecure`. */
  readonly keyring?: Keyring | undefined;
  readonly isInsecure?: boolean;
  readonly preset: PresetName;
  /** Keeps meshes apart that share a network. */
  readonly label?: string;
  /** In place of some of the preset's. */
  readonly timings?: Partial<Timings>;
}
