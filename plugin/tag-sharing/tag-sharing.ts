/**
 * What tags last pointed to as any member knows it. Only while a registry cannot be asked are others: in waves, each question
 * small and with a deadline, until somebody knows; the youngest word counts, this node's own among them. Knows no registry.
 */
import { BoundedMap } from '../../core/runtime/bounded-map.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { DatedTag, TagMemory, TagName } from '../mirror/mirror.ts';
import type { PeerCalls, PeerHandler } from '../peer/peer.ts';
import { callerMember } from '../providers/caller-name.ts';
import type { LiveMembers, PeerService, SwarmMember } from '../providers/providers.ts';
import { lastTagMethod, readReply, readRequest, writeReply, writeRequest } from './tag-methods.ts';

/** Members asked at once; a wave of which nobody knows is followed by another. */
export const WAVE_MEMBERS = 32;
/** Members asked about one tag at most. */
export const ASKED_MAX = 1_024;
/** For one question, milliseconds: whoever is alive answers from memory. */
const QUESTION_MS = 500;
/** For all of them, milliseconds: a client waits, and has waited for the registry before. */
export const ASKING_MS = 2_000;
/** An answer of the fleet, also that nobody knows, is believed for so long, milliseconds; a registry that is down is asked for at every pull. */
export const BELIEVED_MS = 10_000;
const BELIEVED_MAX = 1_024;
/** Tags asked about at once; beyond it only this node's own word counts. */
const ASKING_TAGS_MAX = 64;

export interface TagSharingDeps {
  /** This node's name in the mesh. */
  readonly self: string;
  readonly members: LiveMembers;
  readonly calls: PeerCalls;
  /** This node's own. */
  readonly own: TagMemory;
  readonly clock: Clock;
  /** Numbers from 0 to just below 1. */
  readonly random: () => number;
}

/** The fleet's memory, and what answers others from this node's own. */
export type TagSharing = TagMemory & PeerService;

export function createTagSharing(deps: TagSharingDeps): TagSharing {
  return new FleetTags(deps);
}

type Found = DatedTag | undefined;

class FleetTags implements TagSharing {
  readonly handlers;
  readonly #deps: TagSharingDeps;
  readonly #asking = new Map<string, Promise<Found>>();
  readonly #believed = new BoundedMap<string, { found: Found; atMs: number }>({ entriesMax: BELIEVED_MAX });

  constructor(deps: TagSharingDeps) {
    this.#deps = deps;
    this.handlers = [{ method: lastTagMethod(), handler: this.#onLast }];
  }

  remember(...told: Parameters<TagMemory['remember']>): void {
    this.#deps.own.remember(...told);
  }

  async last(name: TagName): Promise<Found> {
    const [own, others] = await Promise.all([this.#deps.own.last(name), this.#askOthers(name)]);
    return younger(own, others);
  }

  /** One round for a tag at a time, whoever asks. */
  async #askOthers(name: TagName): Promise<Found> {
    const { clock } = this.#deps;
    const key = `${name.registry}/${name.repository}:${name.tag}`;
    const believed = this.#believed.get(key);
    const sinceMs = clock.monotonicMs() - (believed?.atMs ?? Number.NEGATIVE_INFINITY);
    if (believed !== undefined && sinceMs < BELIEVED_MS) return older(believed.found, sinceMs);
    const running = this.#asking.get(key);
    if (running !== undefined) return running;
    if (this.#asking.size >= ASKING_TAGS_MAX) return undefined;
    const asking = this.#waves(name).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    const found = await asking;
    this.#believed.set(key, { found, atMs: clock.monotonicMs() });
    return found;
  }

  /** Never rejects. */
  async #waves(name: TagName): Promise<Found> {
    const { self, members, random } = this.#deps;
    const others = shuffled(
      members().filter((member) => member.name !== self),
      random,
    ).slice(0, ASKED_MAX);
    const signal = AbortSignal.timeout(ASKING_MS);
    for (let at = 0; at < others.length && !signal.aborted; at += WAVE_MEMBERS) {
      const wave = others.slice(at, at + WAVE_MEMBERS);
      const found = (await Promise.all(wave.map((member) => this.#ask(member, name, signal)))).reduce(
        younger,
        undefined,
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A member that does not answer, or has no mirror, knows nothing. */
  async #ask(member: SwarmMember, name: TagName, signal: AbortSignal): Promise<Found> {
    const { calls, self } = this.#deps;
    const request = writeRequest(name, self);
    return calls
      .call(member, lastTagMethod(), request, { signal, deadlineMs: QUESTION_MS })
      .then(readReply, () => undefined);
  }

  /** From this node's own memory alone: a question never travels on. */
  readonly #onLast: PeerHandler = async (request, { peer }) => {
    const from = 'from' in request && typeof request.from === 'string' ? request.from : '';
    callerMember(peer, from, this.#deps.members());
    const name = readRequest(request);
    if (name === undefined) throw new CodedError('INVALID_ARGUMENT', 'Question names no tag');
    return writeReply(await this.#deps.own.last(name));
  };
}

/** The one that a registry said later. */
function younger(a: Found, b: Found): Found {
  if (a === undefined || b === undefined) return a ?? b;
  return b.ageMs < a.ageMs ? b : a;
}

function older(found: Found, byMs: number): Found {
  return found && { ...found, ageMs: found.ageMs + byMs };
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let at = result.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    const [a, b] = [result[at], result[other]];
    if (a === undefined || b === undefined) continue;
    result[at] = b;
    result[other] = a;
  }
  return result;
}
