/** The lease that the mesh keeps (`proto/shoal/seed/v1/lease.ts`), through one node. */
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { LeaseRequest } from '../../proto/shoal/seed/v1/lease.ts';
import type { NodeConnection } from '../seed/node-connection.ts';
import { field, textField } from '../sources/extract/values.ts';
import type { HeldWork, WorkLease } from './work-lease.ts';

const NAME = 'warmer';
/** A warmer that dies keeps others away for so long. */
const SECONDS = 30;
/** Releasing is a courtesy. */
const RELEASE_MS = 2_000;

export interface MeshLeaseDeps {
  readonly connection: NodeConnection;
  readonly clock: Clock;
}

/** @param holder the same for one process, another for each */
export function createMeshLease({ connection, clock }: MeshLeaseDeps, holder: string): WorkLease {
  /** Who has it instead of us; undefined: we do. */
  const ask = async (action: LeaseRequest['action'], signal: AbortSignal): Promise<string | undefined> => {
    const request: LeaseRequest = { name: NAME, holder, action, ...(action !== 'release' && { seconds: SECONDS }) };
    for await (const answer of connection.post('/api/v1/leases', request, { signal })) {
      return field(answer, 'held') === true ? undefined : (textField(answer, 'holder') ?? '');
    }
    throw new CodedError('UNAVAILABLE', 'The node said nothing about the lease');
  };
  const hold = (): HeldWork => {
    const [life, lost] = [new AbortController(), new AbortController()];
    const renewing = renew(clock, {
      ask: () => ask('acquire', life.signal),
      life: life.signal,
      onLost: (other) => lost.abort(new CodedError('FAILED_PRECONDITION', `The lease is lost: "${other}" holds it`)),
    });
    const release = async () => {
      if (life.signal.aborted) return renewing;
      life.abort();
      await renewing;
      await ask('release', AbortSignal.timeout(RELEASE_MS)).catch(() => undefined);
    };
    return { lost: lost.signal, release };
  };
  return {
    async acquire({ signal }) {
      const holderNow = await ask('acquire', signal);
      return holderNow === undefined ? { kind: 'held', lease: hold() } : { kind: 'taken', holder: holderNow };
    },
  };
}

interface Renewal {
  ask(): Promise<string | undefined>;
  readonly life: AbortSignal;
  onLost(other: string): void;
}

/** A keeper that cannot be asked takes nothing away. Never throws. */
async function renew(clock: Clock, { ask, life, onLost }: Renewal): Promise<void> {
  while (!life.aborted) {
    await clock.sleep((SECONDS * 1000) / 3, { signal: life }).catch(() => undefined);
    if (life.aborted) return;
    const other = await ask().catch(() => undefined);
    if (other !== undefined && !life.aborted) return onLost(other);
  }
}
