/**
 * Who is alive: the seam of the mesh. It knows members and what they say of themselves; it knows no digest.
 * (SWIM with Lifeguard, as HashiCorp's memberlist does it; a serf agent is a member like any other.)
 */
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { MemberState } from './members/member-record.ts';
import type { Tags } from './serf/tags.ts';

/** What a member that speaks our own protocols says of itself. */
export interface NodeTag {
  /** Its zone; "" when it has none. */
  readonly zone: string;
  /** Where its peer port listens, at the member's address. */
  readonly peerPort: number;
  /** Of the program. */
  readonly version: string;
  readonly mode: 'full' | 'leech' | 'observer';
}

export interface Member {
  readonly name: string;
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  readonly state: MemberState;
  readonly incarnation: number;
  readonly tags: Tags;
  /** Absent: a member of another kind, which owns nothing and gives nothing. */
  readonly node: NodeTag | undefined;
}

/** `before` is undefined for a member that was not there. Also told when only its tags have changed. */
export interface MemberChange {
  readonly before: Member | undefined;
  readonly after: Member;
}

/** For diagnosis: who is no member and might have wanted to be. */
export interface MeshTroubles {
  /** Why nobody of those to join answered, the last time; undefined once somebody did. */
  readonly joinFailure: string | undefined;
  /** Who sent what no key of ours opens, or what none has sealed; the latest last. */
  readonly strangers: readonly Stranger[];
}

export interface Stranger {
  /** An IP address. */
  readonly address: string;
  readonly reason: 'undecryptable' | 'unencrypted';
  /** Milliseconds since the epoch. */
  readonly lastAtMs: number;
}

/** `start` opens the sockets and joins in the background for ever; `stop` closes them, which looks like a failure to others. */
export interface Mesh extends Service {
  /** Ourselves; the address is the one that others are told. */
  self(): Member;
  /** All members, ourselves and those gone within a day included. */
  members(): readonly Member[];
  /** Called at each change until the returned function is called. A listener must not throw. */
  onChange(listener: (change: MemberChange) => void): () => void;
  /** Tells everybody other tags of ours. @throws CodedError INVALID_ARGUMENT when they take more than 512 bytes */
  setTags(tags: Tags): void;
  /** Says goodbye, so that others see "left" and not a failure; takes up to some ten seconds. Then `stop`. */
  leave(): Promise<void>;
  /** Whether a member answers now, over each transport: for diagnosis, within two seconds. Neither, for one that is not known. */
  ping(name: string): Promise<{ readonly udp: boolean; readonly tcp: boolean }>;
  /** What keeps others away, as far as it was noticed. */
  troubles(): MeshTroubles;
  /** Doubt in our own health: 0 is healthy, the preset's bound the worst. */
  health(): number;
}

const MODES = ['full', 'leech', 'observer'] as const;

/** A node's tag as tags, which `serf members` shows. */
export function tagsOfNode(tag: NodeTag): Tags {
  return new Map([
    ['shoal', tag.version],
    ['shoal_mode', tag.mode],
    ['shoal_peer', `${tag.peerPort}`],
    ['shoal_zone', tag.zone],
  ]);
}

/** The node's tag among tags; undefined when it is not there or makes no sense. */
export function nodeOfTags(tags: Tags): NodeTag | undefined {
  const version = tags.get('shoal');
  const mode = MODES.find((word) => word === tags.get('shoal_mode'));
  const port = tags.get('shoal_peer') ?? '';
  if (version === undefined || mode === undefined || !/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) {
    return undefined;
  }
  return { version, mode, peerPort: Number(port), zone: tags.get('shoal_zone') ?? '' };
}
