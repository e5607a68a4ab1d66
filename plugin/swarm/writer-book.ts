/**
 * The cold crowd: of those that ask at once for a blob that nobody has, its owner names at most two as writers; their
 * containerd fetches it, everyone else waits for it. Pure: time comes in.
 */
import type { Digest } from '../../core/oci/digest.ts';

/** Writers of one blob at once. */
export const WRITERS_MAX = 2;
/** A writer whose Write is not seen within this is passed over, milliseconds. */
const START_MS = 10_000;
/** Blobs with writers. */
export const WRITTEN_MAX = 4_096;
/** Members remembered as having claimed, or failed, one blob. */
const ASKED_MAX = 10_000;

/** `writer`: let containerd fetch it; `claim`: wait for those who do; `nobody`: no one is left who would. */
export type CrowdAnswer = 'writer' | 'claim' | 'nobody';

/** What the owner knows of a blob now. */
export interface CrowdSeen {
  readonly nowMs: number;
  /** Somebody holds it, or fetches it from the source. */
  readonly isThere: boolean;
  /** Members whose Write runs. */
  readonly writing: ReadonlySet<string>;
  /** Whether the asker may be named: others can have from it what its containerd fetches. */
  readonly mayWrite: boolean;
}

interface Crowd {
  readonly writers: Map<string, { startByMs: number; hasStarted: boolean }>;
  /** Who claims: not to be made a writer, its containerd has been told that it need not fetch. */
  readonly claimed: Set<string>;
  readonly failed: Set<string>;
  touchedAtMs: number;
}

export class WriterBook {
  readonly #crowds = new Map<Digest, Crowd>();

  ask(member: string, digest: Digest, seen: CrowdSeen): CrowdAnswer {
    if (seen.isThere && !this.#crowds.has(digest)) return 'claim';
    const crowd = this.#crowd(digest, seen.nowMs);
    this.#look(crowd, seen);
    if (crowd.writers.has(member)) return 'writer';
    const mayWrite = seen.mayWrite && !crowd.claimed.has(member) && !crowd.failed.has(member);
    const writers = new Set([...seen.writing, ...crowd.writers.keys()]);
    if (!seen.isThere && mayWrite && writers.size < WRITERS_MAX) {
      crowd.writers.set(member, { startByMs: seen.nowMs + START_MS, hasStarted: false });
      return 'writer';
    }
    if (!seen.isThere && writers.size === 0) return 'nobody';
    if (crowd.claimed.size < ASKED_MAX) crowd.claimed.add(member);
    return 'claim';
  }

  /** Everyone who writes now. */
  writers(): Set<string> {
    return new Set([...this.#crowds.values()].flatMap((crowd) => [...crowd.writers.keys()]));
  }

  memberGone(member: string): void {
    for (const crowd of this.#crowds.values()) fail(crowd, member);
  }

  #crowd(digest: Digest, nowMs: number): Crowd {
    const known = this.#crowds.get(digest);
    if (known !== undefined) {
      known.touchedAtMs = nowMs;
      return known;
    }
    if (this.#crowds.size >= WRITTEN_MAX) this.#dropOldest();
    const crowd = { writers: new Map(), claimed: new Set<string>(), failed: new Set<string>(), touchedAtMs: nowMs };
    this.#crowds.set(digest, crowd);
    return crowd;
  }

  #dropOldest(): void {
    let oldest: [Digest, number] | undefined;
    for (const [digest, { touchedAtMs }] of this.#crowds) {
      if (oldest === undefined || touchedAtMs < oldest[1]) oldest = [digest, touchedAtMs];
    }
    if (oldest !== undefined) this.#crowds.delete(oldest[0]);
  }

  /** A writer that did not start in time, or whose Write ended without a blob, has failed. */
  #look(crowd: Crowd, { nowMs, writing }: CrowdSeen): void {
    for (const [member, writer] of crowd.writers) {
      const isSeen = writing.has(member);
      if (writer.hasStarted ? !isSeen : writer.startByMs <= nowMs && !isSeen) fail(crowd, member);
      writer.hasStarted ||= isSeen;
    }
  }
}

function fail(crowd: Crowd, member: string): void {
  if (crowd.writers.delete(member)) crowd.failed.add(member);
}
