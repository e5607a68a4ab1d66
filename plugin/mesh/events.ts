/** What the mesh tells operators: one function an event, log record and counter together. */
import { messageOf } from '../../core/runtime/errors.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { MemberRecord, MemberState } from './members/member-record.ts';
import { MEMBER_STATES } from './members/member-record.ts';
import type { Endpoint } from './net/transport.ts';
import type { DropReason } from './wire/wire-fault.ts';

export interface MeshEvents {
  /** Something received was dropped; `from` says where it came from when that is known. */
  dropped(reason: DropReason, from?: Endpoint): void;
  changed(before: MemberRecord | undefined, after: MemberRecord): void;
  /** Two members use one name. `isOurs`: ours. */
  nameConflict(facts: { name: string; isOurs: boolean; known: Endpoint; other: Endpoint }): void;
  /** Others took us for suspect or dead, or knew a later us, and we objected. */
  refuted(incarnation: number): void;
  /** A member answers over TCP but not over UDP. */
  onlyTcpAnswers(name: string): void;
  exchangeFailed(to: Endpoint, error: unknown): void;
  joined(to: Endpoint): void;
  joinFailed(facts: { addresses: number; failures: number; waitMs: number; error: unknown }): void;
  sendFailed(error: unknown): void;
  started(facts: { bind: string; advertise: string; isSealed: boolean }): void;
}

/** A flood of packets makes one line in so long, milliseconds. */
const WARN_INTERVAL_MS = 60_000;

export interface MeshEventsDeps {
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

export function createMeshEvents({ log, metrics, nowMs }: MeshEventsDeps): MeshEvents {
  const drops = metrics.counter({
    name: 'shoal_mesh_dropped_total',
    help: 'Messages of the mesh that were dropped',
    labels: ['reason'],
  });
  const refutations = metrics.counter({
    name: 'shoal_mesh_refutations_total',
    help: 'Times that this member objected to being suspected',
  });
  const wrongKey = rateLimited(nowMs);
  const noKey = rateLimited(nowMs);
  const conflicts = rateLimited(nowMs);
  return {
    dropped(reason, from) {
      drops.add(1, { reason });
      if (reason === 'undecryptable') {
        wrongKey((count) =>
          log.warn({ count, from }, 'Packets that no key of ours opens: this node or the sender has an old mesh key'),
        );
      }
      if (reason === 'unencrypted') noKey((count) => log.warn({ count, from }, 'Packets that no mesh key has sealed'));
    },
    changed(before, after) {
      const facts = { member: after.name, address: after.address, port: after.port, state: after.state };
      if (before?.state === after.state) log.debug(facts, 'Member told news of itself');
      else if (after.state === 'suspect') log.debug(facts, 'Member is suspected');
      else log.info({ ...facts, before: before?.state }, 'Member changed its state');
    },
    nameConflict({ name, isOurs, known, other }) {
      drops.add(1, { reason: 'conflict' });
      const facts = { name, known, other };
      conflicts((count) =>
        isOurs
          ? log.error({ ...facts, count }, 'Another node uses the name of this one; names must be unique')
          : log.warn({ ...facts, count }, 'Two nodes use one name; names must be unique'),
      );
    },
    refuted(incarnation) {
      refutations.add(1);
      log.debug({ incarnation }, 'Objected to what others said of this member');
    },
    onlyTcpAnswers: (name) =>
      log.warn({ member: name }, 'Member answers over TCP but not over UDP; a firewall may drop UDP'),
    exchangeFailed: (to, error) => log.debug({ to, reason: messageOf(error) }, 'Exchange of states failed'),
    joined: (to) => log.info({ to }, 'Joined the mesh'),
    joinFailed: ({ error, ...facts }) =>
      log.warn({ ...facts, reason: messageOf(error) }, 'No member to join answers; trying again'),
    sendFailed: (error) => log.debug({ reason: messageOf(error) }, 'Sending a packet failed'),
    started: (facts) => log.info(facts, 'Mesh listens'),
  };
}

/** `shoal_mesh_members{state}`, and this member's own health. */
export function exposeMembers(
  metrics: Metrics,
  mesh: { members(): readonly { state: MemberState }[]; health(): number },
): void {
  metrics.gauge({
    name: 'shoal_mesh_members',
    help: 'Members of the mesh by state, this one included',
    labels: ['state'],
    read: () => {
      const members = mesh.members();
      return MEMBER_STATES.map((state) => ({
        value: members.filter((member) => member.state === state).length,
        labels: { state },
      }));
    },
  });
  metrics.gauge({
    name: 'shoal_mesh_health_score',
    help: "This member's doubt in its own health: 0 is healthy, 7 the worst",
    read: () => [{ value: mesh.health() }],
  });
}

/** Runs `write` at most once in WARN_INTERVAL_MS, with how many came since the last time. */
function rateLimited(nowMs: () => number): (write: (count: number) => void) => void {
  let count = 0;
  let nextMs = Number.NEGATIVE_INFINITY;
  return (write) => {
    count += 1;
    if (nowMs() < nextMs) return;
    nextMs = nowMs() + WARN_INTERVAL_MS;
    write(count);
    count = 0;
  };
}
