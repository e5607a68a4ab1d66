/** What members told this node as an owner: digest → member → what it has. Bounded on every side. Pure: time comes in. */
import type { Digest } from '../../core/oci/digest.ts';
import type { HoldingState, Provider } from './providers.ts';

/** An entry that is not told again within this is forgotten, milliseconds. */
export const KEEP_MS = 10 * 60_000;
/** Digests in the table: some 3/N of all that a fleet holds. */
export const DIGESTS_MAX = 100_000;
/** Members listed for one digest; more would help nobody. */
export const PROVIDERS_MAX = 512;
/** Digests of one member: ten thousand images' worth, and what a member that claims every digest is stopped at. */
export const DIGESTS_PER_MEMBER_MAX = 20_000;

export interface TableLimits {
  readonly digestsMax: number;
  readonly providersMax: number;
  readonly digestsPerMemberMax: number;
}

interface Entry {
  state: HoldingState;
  pieces: number;
  untilMs: number;
}

export class ProviderTable {
  readonly #limits: TableLimits;
  readonly #byDigest = new Map<Digest, Map<string, Entry>>();
  readonly #byMember = new Map<string, Set<Digest>>();

  constructor(limits: Partial<TableLimits> = {}) {
    this.#limits = {
      digestsMax: DIGESTS_MAX,
      providersMax: PROVIDERS_MAX,
      digestsPerMemberMax: DIGESTS_PER_MEMBER_MAX,
      ...limits,
    };
  }

  get digestCount(): number {
    return this.#byDigest.size;
  }

  /** @returns false when a bound refused it */
  put(member: string, digest: Digest, told: { state: HoldingState; pieces: number; nowMs: number }): boolean {
    const entry = { state: told.state, pieces: told.pieces, untilMs: told.nowMs + KEEP_MS };
    const known = this.#byDigest.get(digest)?.get(member);
    if (known !== undefined) {
      Object.assign(known, entry);
      return true;
    }
    if (!this.#hasRoom(member, digest)) return false;
    this.#entriesOf(digest).set(member, entry);
    this.#digestsOf(member).add(digest);
    return true;
  }

  remove(member: string, digest: Digest): void {
    const entries = this.#byDigest.get(digest);
    if (entries?.delete(member) !== true) return;
    if (entries.size === 0) this.#byDigest.delete(digest);
    const digests = this.#byMember.get(member);
    digests?.delete(digest);
    if (digests?.size === 0) this.#byMember.delete(member);
  }

  /** A member is gone: everything that it told goes with it. */
  removeMember(member: string): void {
    for (const digest of this.#byMember.get(member) ?? []) this.remove(member, digest);
  }

  members(): Iterable<string> {
    return this.#byMember.keys();
  }

  providers(digest: Digest, nowMs: number): Provider[] {
    const found: Provider[] = [];
    for (const [name, { state, pieces, untilMs }] of this.#byDigest.get(digest) ?? []) {
      if (untilMs > nowMs) found.push({ name, state, pieces });
    }
    return found;
  }

  /** Forgets what was not told again. */
  expire(nowMs: number): void {
    for (const [digest, entries] of this.#byDigest) {
      for (const [member, entry] of entries) if (entry.untilMs <= nowMs) this.remove(member, digest);
    }
  }

  #hasRoom(member: string, digest: Digest): boolean {
    const { digestsMax, providersMax, digestsPerMemberMax } = this.#limits;
    if ((this.#byMember.get(member)?.size ?? 0) >= digestsPerMemberMax) return false;
    const entries = this.#byDigest.get(digest);
    return entries === undefined ? this.#byDigest.size < digestsMax : entries.size < providersMax;
  }

  #entriesOf(digest: Digest): Map<string, Entry> {
    const entries = this.#byDigest.get(digest) ?? new Map<string, Entry>();
    this.#byDigest.set(digest, entries);
    return entries;
  }

  #digestsOf(member: string): Set<Digest> {
    const digests = this.#byMember.get(member) ?? new Set<Digest>();
    this.#byMember.set(member, digests);
    return digests;
  }
}
