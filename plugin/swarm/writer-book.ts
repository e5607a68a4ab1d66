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

interface Crowd {
  readonly writers: Map<string, { startByMs: number; hasStarted: boolean }>;
  /** Who claims: not to be made a writer, its containerd has been told that it need not fetch. */
  readonly claimed: Set<string>;
  readonly failed: Set<string>;
  touchedAtMs: number;
}

export class WriterBook {
  readonly #crowds = new Map<Digest, Crowd>();

  /** `isThere`: somebody holds, fetches or writes it already, writers of this book aside. */
  ask(member: string, digest: Digest, now: { nowMs: number; isThere: boolean }): 'writer' | 'claim' {
    const crowd = this.#crowd(digest, now.nowMs);
    if (crowd === undefined) return 'claim';
    this.#dropLate(crowd, now.nowMs);
    if (crowd.writers.has(member)) return 'writer';
    const isWanted = !now.isThere && crowd.writers.size < WRITERS_MAX;
    if (isWanted && !crowd.claimed.has(member) && !crowd.failed.has(member)) {
      crowd.writers.set(member, { startByMs: now.nowMs + START_MS, hasStarted: false });
      return 'writer';
    }
    if (crowd.claimed.size < ASKED_MAX) crowd.claimed.add(member);
    return 'claim';
  }

  /** Its Write was seen. */
  started(member: string, digest: Digest): void {
    const writer = this.#crowds.get(digest)?.writers.get(member);
    if (writer !== undefined) writer.hasStarted = true;
  }

  /** Its Write is over, or it is gone: another one may be named. */
  ended(member: string, digest: Digest): void {
    const crowd = this.#crowds.get(digest);
    if (crowd?.writers.delete(member)) crowd.failed.add(member);
  }

  /** Everyone who writes now. */
  writers(): Set<string> {
    return new Set([...this.#crowds.values()].flatMap((crowd) => [...crowd.writers.keys()]));
  }

  memberGone(member: string): void {
    for (const digest of this.#crowds.keys()) this.ended(member, digest);
  }

  /** Whether the crowd of a blob still has a writer: without one, claims have to be given back. */
  hasWriter(digest: Digest, nowMs: number): boolean {
    const crowd = this.#crowds.get(digest);
    if (crowd === undefined) return false;
    this.#dropLate(crowd, nowMs);
    return crowd.writers.size > 0;
  }

  forget(digest: Digest): void {
    this.#crowds.delete(digest);
  }

  #crowd(digest: Digest, nowMs: number): Crowd | undefined {
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

  #dropLate(crowd: Crowd, nowMs: number): void {
    for (const [member, { startByMs, hasStarted }] of crowd.writers) {
      if (hasStarted || startByMs > nowMs) continue;
      crowd.writers.delete(member);
      crowd.failed.add(member);
    }
  }
}
