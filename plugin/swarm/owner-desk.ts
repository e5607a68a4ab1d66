/** This node as an owner: the swarms of its digests, and who writes a blob that nobody has. Answers calls. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { PeerHandler } from '../peer/peer.ts';
import { callerMember } from '../providers/caller-name.ts';
import { memberNamed } from '../providers/member-named.ts';
import type { LiveMembers, ProviderList, SwarmMember } from '../providers/providers.ts';
import { ownersOf } from '../providers/rendezvous.ts';
import { readNameWriter, writeNameWriterReply } from './neighbour-messages.ts';
import { type MemberReport, type OwnerReply, readReport, writeOwnerReply } from './owner-messages.ts';
import { planPieces } from './piece-plan.ts';
import { type RecordView, SwarmRecord } from './swarm-record.ts';
import { type CrowdAnswer, WriterBook } from './writer-book.ts';

/** Swarms that this node looks after at once. */
export const RECORDS_MAX = 2_048;
/** Swarms that one member may begin here: an image has some hundred layers. */
export const RECORDS_PER_MEMBER_MAX = 256;
/** A swarm that nobody calls about for so long is forgotten, milliseconds. */
const IDLE_MS = 60_000;
/** Blobs of more pieces than this are no blobs of ours. */
const PIECES_MAX = 65_536;

export interface OwnerDeskDeps {
  readonly self: string;
  readonly members: LiveMembers;
  readonly providers: ProviderList;
  readonly clock: Clock;
  readonly random: () => number;
  readonly pieceSizeFor: (sizeBytes: number) => number;
}

export class OwnerDesk {
  readonly #deps: OwnerDeskDeps;
  /** By digest and size: who tells a wrong size is alone with it. */
  readonly #records = new Map<string, { digest: Digest; record: SwarmRecord; beganBy: string }>();
  readonly #writers = new WriterBook();

  constructor(deps: OwnerDeskDeps) {
    this.#deps = deps;
  }

  get swarmCount(): number {
    return this.#records.size;
  }

  readonly onCoordinate: PeerHandler = async (request, { peer }) => {
    const { from, report } = readReport(request);
    return writeOwnerReply(this.coordinate(callerMember(peer, from, this.#deps.members()), report));
  };

  readonly onNameWriter: PeerHandler = async (request, { peer }) => {
    const { from, digest } = readNameWriter(request);
    const member = callerMember(peer, from, this.#deps.members());
    return writeNameWriterReply(this.nameWriter(member, digest));
  };

  /** @throws CodedError FAILED_PRECONDITION when this node does not own the digest, INVALID_ARGUMENT, RESOURCE_EXHAUSTED */
  coordinate(member: SwarmMember, report: MemberReport): OwnerReply {
    this.#checkOwns(report.digest);
    const record = this.#record(member.name, report);
    const view: RecordView = {
      nowMs: this.#deps.clock.monotonicMs(),
      holders: this.#holders(report.digest, member),
      writers: [...this.#writing(report.digest)],
    };
    return record.coordinate(member.name, report, view);
  }

  /** @throws CodedError FAILED_PRECONDITION when this node does not own the digest */
  nameWriter(member: SwarmMember, digest: Digest): CrowdAnswer {
    this.#checkOwns(digest);
    const isThere =
      this.#deps.providers.listed(digest).some(({ state }) => state === 'whole') ||
      [...this.#records.values()].some(({ digest: of, record }) => of === digest && record.hasReader);
    const seen = { nowMs: this.#deps.clock.monotonicMs(), isThere, writing: this.#writing(digest) };
    return this.#writers.ask(member.name, digest, { ...seen, mayWrite: member.mode === 'full' });
  }

  /** Members that are gone leave every swarm. */
  membersChanged(): void {
    const live = new Set(this.#deps.members().map(({ name }) => name));
    for (const { record } of this.#records.values()) {
      for (const name of [...record.memberNames()]) if (!live.has(name)) record.remove(name);
    }
    for (const name of [...this.#writers.writers()]) if (!live.has(name)) this.#writers.memberGone(name);
  }

  #checkOwns(digest: Digest): void {
    const owners = ownersOf(digest, this.#deps.members());
    if (owners.some(({ name }) => name === this.#deps.self)) return;
    throw new CodedError('FAILED_PRECONDITION', `Member "${this.#deps.self}" is no owner of "${digest}"`);
  }

  #record(member: string, { digest, size }: MemberReport): SwarmRecord {
    const key = `${digest}/${size}`;
    const known = this.#records.get(key);
    if (known !== undefined) return known.record;
    this.#forgetIdle();
    const began = [...this.#records.values()].filter(({ beganBy }) => beganBy === member).length;
    if (began >= RECORDS_PER_MEMBER_MAX || this.#records.size >= RECORDS_MAX) {
      throw new CodedError(
        'RESOURCE_EXHAUSTED',
        `Swarm of "${digest}" is refused: ${this.#records.size} run here already`,
      );
    }
    const plan = planPieces(size, this.#deps.pieceSizeFor);
    if (plan.count > PIECES_MAX) throw new CodedError('INVALID_ARGUMENT', `Blob of ${size} bytes is too large`);
    const record = new SwarmRecord(plan, { random: this.#deps.random, nowMs: this.#deps.clock.monotonicMs() });
    this.#records.set(key, { digest, record, beganBy: member });
    return record;
  }

  #forgetIdle(): void {
    const beforeMs = this.#deps.clock.monotonicMs() - IDLE_MS;
    for (const [key, { record }] of this.#records) if (record.touchedAtMs < beforeMs) this.#records.delete(key);
  }

  /** Members whose Write of it runs. */
  #writing(digest: Digest): Set<string> {
    const listed = this.#deps.providers.listed(digest);
    return new Set(listed.flatMap(({ name, state }) => (state === 'writing' ? [name] : [])));
  }

  /** Live members that say they have the whole; those of the asker's zone first, else in random order. */
  #holders(digest: Digest, asker: SwarmMember): string[] {
    const listed = this.#deps.providers.listed(digest).filter(({ state }) => state === 'whole');
    if (listed.length === 0) return [];
    const members = this.#deps.members();
    const start = Math.floor(this.#deps.random() * listed.length);
    const turned = [...listed.slice(start), ...listed.slice(0, start)].flatMap(
      ({ name }) => memberNamed(members, name) ?? [],
    );
    const isNear = ({ zone }: SwarmMember) => zone === asker.zone;
    return [...turned.filter(isNear), ...turned.filter((one) => !isNear(one))].map(({ name }) => name);
  }
}
