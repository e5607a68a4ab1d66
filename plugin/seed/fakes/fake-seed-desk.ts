/** A desk that tells what it is given and remembers what it was asked. */
import type { LeaseAsk, LeaseWord, NodeRow, PresenceRow, RunningSeed, SeedDesk } from '../seed.ts';
import type { SeedRequest, SeedStatus, SeedStep } from '../seed.ts';

export class FakeSeedDesk implements SeedDesk {
  readonly asked: SeedRequest[] = [];
  readonly cancelled: string[] = [];
  steps: readonly SeedStep[] = [];
  /** Steps do not end before it resolves. */
  until: Promise<void> = Promise.resolve();
  statuses: readonly SeedStatus[] = [];
  rows: readonly PresenceRow[] = [];
  members: readonly NodeRow[] = [];
  word: LeaseWord = { isHeld: false, fencing: 0, remainingMs: 0 };
  readonly leases: LeaseAsk[] = [];

  seed(request: SeedRequest, { signal }: { signal: AbortSignal }): RunningSeed {
    this.asked.push(request);
    signal.addEventListener('abort', () => this.cancelled.push('seed-1'));
    const { steps, until } = this;
    const told = async function* () {
      yield* steps;
      await until;
    };
    const counts = { present: 1, fetched: 0, skipped: 0, failed: 0, bytesFetched: 0 };
    return { id: 'seed-1', steps: told(), counts: () => counts };
  }

  seeds(): Iterable<SeedStatus> {
    return this.statuses;
  }

  cancel(id: string): boolean {
    this.cancelled.push(id);
    return id === 'seed-1';
  }

  async *presence(): AsyncGenerator<PresenceRow, void> {
    yield* this.rows;
  }

  async *nodes(): AsyncGenerator<NodeRow, void> {
    yield* this.members;
  }

  async lease(ask: LeaseAsk): Promise<LeaseWord> {
    this.leases.push(ask);
    return this.word;
  }
}
