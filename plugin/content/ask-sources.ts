/** Going round the sources until a partial has no gap left: in order, again and again with growing pauses. */
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { BlobSource, Want } from './blob-source.ts';
import type { ReaderWaits } from './reader-waits.ts';
import type { SourceLedger } from './source-ledger.ts';
import { type FilledPartial, SourceSink } from './source-sink.ts';
import { whileMoving } from './while-moving.ts';

/** Pauses between rounds that brought nothing, milliseconds: doubling from the first to the longest. */
const PAUSE_FIRST_MS = 250;
const PAUSE_LONGEST_MS = 5_000;
/** A source that is still asking around after so long is passed over in this round: on a node under load, look-ups take seconds. */
const ASKING_MS = 6_000;
/** A source that brings nothing for so long is left for the next one; it may be asked again. */
const STALL_MS = 20_000;

export interface Asking {
  readonly partial: FilledPartial;
  readonly waits: ReaderWaits;
  readonly ledger: SourceLedger;
  readonly clock: Clock;
  readonly want: () => Want;
  readonly onSource: (source: BlobSource | undefined) => void;
  readonly onBytes: (source: BlobSource, count: number) => void;
  /** Bytes come that cannot be stored yet. */
  readonly onMoving: () => void;
  /** Bytes that readers may have had are about to be taken out, or were. */
  readonly onForget: () => void;
  readonly onFailed: (source: BlobSource, error: unknown) => void;
}

/** @throws CodedError when no source is left, or this disk takes no bytes; the signal's reason */
export async function askSources(asking: Asking, signal: AbortSignal): Promise<void> {
  let pauseMs = PAUSE_FIRST_MS;
  for (;;) {
    const before = asking.partial.bytesPresent();
    if (await askRound(asking, signal)) return;
    pauseMs = asking.partial.bytesPresent() > before ? PAUSE_FIRST_MS : Math.min(pauseMs * 2, PAUSE_LONGEST_MS);
    await asking.clock.sleep(pauseMs, { signal });
  }
}

/** @returns whether nothing is missing any more */
async function askRound(asking: Asking, signal: AbortSignal): Promise<boolean> {
  if (isWhole(asking)) return true;
  // Also those without a route: nobody may have asked them about this blob yet.
  for (const source of asking.ledger.willing()) {
    await askOne(asking, source, signal);
    if (isWhole(asking)) return true;
  }
  if (asking.ledger.usable(asking.want()).length === 0) throw asking.ledger.nobodyLeft(asking.want());
  return false;
}

async function askOne(asking: Asking, source: BlobSource, signal: AbortSignal): Promise<void> {
  const { partial, waits, clock } = asking;
  let movedAtMs = clock.monotonicMs();
  const onBytes = (count: number) => {
    movedAtMs = clock.monotonicMs();
    asking.onBytes(source, count);
  };
  const onMoving = () => {
    movedAtMs = clock.monotonicMs();
    asking.onMoving();
  };
  const sink = new SourceSink({ partial, waits, onBytes, onMoving, onForget: asking.onForget });
  const what = `Source "${source.name}" brought nothing`;
  const watch = { clock, signal, movedAtMs: () => movedAtMs, limitMs: () => STALL_MS, what };
  asking.onSource(source);
  try {
    await whenSettled(asking, source, signal);
    if (source.route(asking.want()) !== 'yes') return;
    await whileMoving(watch, (running) => source.fetch(asking.want(), sink, { signal: running }));
    if (!isWhole(asking))
      throw new CodedError('UNAVAILABLE', `Source "${source.name}" ended before the blob was whole`);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (sink.failure !== undefined) throw sink.failure;
    asking.ledger.failed(source, error);
    asking.onFailed(source, error);
  } finally {
    asking.onSource(undefined);
    await sink.close();
  }
}

async function whenSettled(asking: Asking, source: BlobSource, signal: AbortSignal): Promise<void> {
  const { clock, want } = asking;
  source.prepare(want());
  if (source.route(want()) !== 'asking') return;
  const startedAtMs = clock.monotonicMs();
  const what = `Source "${source.name}" did not know whether it has a route`;
  const watch = { clock, signal, movedAtMs: () => startedAtMs, limitMs: () => ASKING_MS, what };
  await whileMoving(watch, (running) => source.settled(want(), { signal: running }));
}

function isWhole(asking: Asking): boolean {
  return asking.partial.missing(0) === undefined;
}
