/** Looking at the fleet without changing anything: which blobs are where, and what each node is. */
import type { Digest } from '../../../core/oci/digest.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import { BoundedMap } from '../../../core/runtime/bounded-map.ts';
import { messageOf } from '../../../core/runtime/errors.ts';
import { ASKED_AT_ONCE, CALL_MS, FACTS_MS, TARGETS_MAX } from '../limits.ts';
import type { NodeFacts, NodeRow, PresenceRow } from '../seed.ts';
import { asTheyCome } from './as-they-come.ts';
import { type SeedMember, type SeedMembers, liveMember } from './members.ts';

type Call = { readonly signal: AbortSignal };

export class Inspection {
  readonly #members: SeedMembers;
  readonly #clock: Clock;
  readonly #facts = new BoundedMap<string, { facts: NodeFacts; atMs: number }>({ entriesMax: TARGETS_MAX });

  constructor({ members, clock }: { members: SeedMembers; clock: Clock }) {
    this.#members = members;
    this.#clock = clock;
  }

  presence(
    asked: { digests: readonly Digest[]; nodes?: readonly string[]; silenceMs: number },
    { signal }: Call,
  ): AsyncIterable<PresenceRow> {
    const names = asked.nodes ?? this.#members.list().map(({ name }) => name);
    const one = async (name: string): Promise<PresenceRow> => {
      try {
        const node = this.#members.reach(liveMember(this.#members, name), asked.silenceMs);
        return { node: name, has: await node.presence(asked.digests, { signal }) };
      } catch (error) {
        signal.throwIfAborted();
        return { node: name, reason: messageOf(error) };
      }
    };
    return asTheyCome(names, one, { atOnce: ASKED_AT_ONCE, signal });
  }

  nodes({ signal }: Call): AsyncIterable<NodeRow> {
    const one = async (member: SeedMember): Promise<NodeRow> => {
      const { name, host: address, zone, version, mode } = member;
      const facts = await this.#factsOf(member, signal);
      return { name, address, zone, version, mode, ...(facts && { facts }) };
    };
    return asTheyCome(this.#members.list(), one, { atOnce: ASKED_AT_ONCE, signal });
  }

  /** Undefined when it does not answer. */
  async #factsOf(member: SeedMember, signal: AbortSignal): Promise<NodeFacts | undefined> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#facts.get(member.name);
    if (known !== undefined && nowMs - known.atMs < FACTS_MS) return known.facts;
    try {
      const facts = await this.#members.reach(member, CALL_MS).facts({ signal });
      this.#facts.set(member.name, { facts, atMs: nowMs });
      return facts;
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }
}
