/**
 * A Lease of coordination.k8s.io/v1 and who holds it, by the rules of client-go's leader election: times in the record are never
 * compared with the local clock, only how long a record has not changed here. Pure.
 */
import { field, isRecord, type PlainRecord, textField } from '../../extract/values.ts';

export interface LeaseRecord {
  /** "" when nobody holds it. */
  readonly holder: string;
  readonly durationMs: number;
  /** RFC 3339 with microseconds, as they are written. */
  readonly acquireTime: string | undefined;
  readonly renewTime: string | undefined;
  readonly transitions: number;
}

/** What was seen of a lease, and when by our own clock. */
export interface Observation {
  readonly record: LeaseRecord;
  /** Of the monotonic clock, when the record was first seen as it is. */
  readonly sinceMs: number;
}

export function readLease(lease: unknown): LeaseRecord {
  const seconds = field(lease, 'spec', 'leaseDurationSeconds');
  const transitions = field(lease, 'spec', 'leaseTransitions');
  return {
    holder: textField(lease, 'spec', 'holderIdentity') ?? '',
    durationMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : 0,
    acquireTime: textField(lease, 'spec', 'acquireTime'),
    renewTime: textField(lease, 'spec', 'renewTime'),
    transitions: typeof transitions === 'number' ? transitions : 0,
  };
}

/** The observation after having seen `record`: a record that has not changed is as old as it was. */
export function observe(before: Observation | undefined, record: LeaseRecord, nowMs: number): Observation {
  const isSame = before !== undefined && JSON.stringify(before.record) === JSON.stringify(record);
  return isSame ? before : { record, sinceMs: nowMs };
}

/** True while somebody else may believe that it is his. */
export function isHeldByOther({ record, sinceMs }: Observation, holder: string, nowMs: number): boolean {
  if (record.holder === '' || record.holder === holder) return false;
  return sinceMs + record.durationMs > nowMs;
}

/** The record by which `holder` takes it or keeps it. */
export function takenBy(
  before: LeaseRecord | undefined,
  { holder, durationMs, nowMs }: { holder: string; durationMs: number; nowMs: number },
): LeaseRecord {
  const now = microTime(nowMs);
  const isRenewed = before?.holder === holder;
  return {
    holder,
    durationMs,
    acquireTime: isRenewed ? before.acquireTime : now,
    renewTime: now,
    transitions: before === undefined ? 0 : before.transitions + (isRenewed ? 0 : 1),
  };
}

/** The record by which it is given back: free for whoever comes, at once. */
export function releasedFrom(before: LeaseRecord, nowMs: number): LeaseRecord {
  const now = microTime(nowMs);
  return { holder: '', durationMs: 1000, acquireTime: now, renewTime: now, transitions: before.transitions };
}

/** The object to write; what others wrote into it stays, its version with it: whoever comes second is refused. */
export function leaseObject(
  name: { namespace: string; name: string },
  record: LeaseRecord,
  before?: PlainRecord,
): PlainRecord {
  const metadata = isRecord(before?.metadata) ? before.metadata : name;
  const spec = isRecord(before?.spec) ? before.spec : {};
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec: {
      ...spec,
      holderIdentity: record.holder,
      leaseDurationSeconds: Math.ceil(record.durationMs / 1000),
      acquireTime: record.acquireTime,
      renewTime: record.renewTime,
      leaseTransitions: record.transitions,
    },
  };
}

/** apimachinery `MicroTime`. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/(\.\d{3})Z$/, '$1000Z');
}
