/** One order followed on one node until it has ended, the node is silent, or nobody wants it any more: each image gets exactly one end. */
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError, codeOf, isCode, messageOf } from '../../../core/runtime/errors.ts';
import { formatDuration } from '../../../core/runtime/units.ts';
import { blobsOf } from '../image-blobs.ts';
import { CALL_MS, WATCH_PAUSE_MS, WATCH_MS } from '../limits.ts';
import { isEnd } from '../node/order-board.ts';
import { isRetriable } from '../retriable.ts';
import type { ImageRow, NodeSeeding, SeedImage, SeedOrder } from '../seed.ts';

/** Before a node that did not answer is asked again. */
const AGAIN_MS = 500;
/** How often an order is begun anew on a node that has forgotten it: its daemon was restarted. */
const BEGINS_MAX = 3;
/** The node ends by itself at its deadline; it is believed to have failed so long after. */
const GRACE_MS = 2_000;

export interface Driven {
  readonly name: string;
  readonly node: NodeSeeding;
  readonly order: SeedOrder;
  readonly silenceMs: number;
}

/**
 * Never rejects.
 * @param tell each row that has changed, ends included
 * @returns whether the node was heard to the end; false when it fell silent
 */
export async function driveNode(
  clock: Clock,
  driven: Driven,
  tell: (row: ImageRow) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const { node, order } = driven;
  const ended = new Set<number>();
  const onRow = (row: ImageRow) => {
    if (ended.has(row.image) || order.images[row.image] === undefined) return;
    if (isEnd(row)) ended.add(row.image);
    tell(row);
  };
  const startedMs = clock.monotonicMs();
  const over = new AbortController();
  const bounded = AbortSignal.any([signal, over.signal]);
  const late = new CodedError('UNAVAILABLE', 'The deadline of the seed has passed');
  clock.sleep(order.deadlineMs + GRACE_MS, { signal: bounded }).then(
    () => over.abort(late),
    () => undefined,
  );
  try {
    await follow(clock, driven, onRow, bounded);
    return true;
  } catch (error) {
    const elapsedMs = Math.round(clock.monotonicMs() - startedMs);
    for (const [at, image] of order.images.entries()) onRow({ ...failedRow(at, image, error), elapsedMs });
    // Said to a node that may be gone: it ends by itself when nobody asks.
    void node.cancel(order.id, { signal: AbortSignal.timeout(CALL_MS) }).catch(() => undefined);
    return !(error instanceof SilentError);
  } finally {
    over.abort();
  }
}

async function follow(
  clock: Clock,
  driven: Driven,
  onRow: (row: ImageRow) => void,
  signal: AbortSignal,
): Promise<void> {
  const { node, order, silenceMs } = driven;
  let heardMs = clock.monotonicMs();
  let revision = 0;
  let begins = 0;
  let isBegun = false;
  for (;;) {
    signal.throwIfAborted();
    try {
      if (!isBegun) await node.begin(order, { signal });
      isBegun = true;
      const news = await node.watch({ id: order.id, revision, waitMs: WATCH_MS }, { signal });
      heardMs = clock.monotonicMs();
      revision = news.revision;
      for (const row of news.rows) onRow(row);
      if (news.isDone) return;
      await clock.sleep(WATCH_PAUSE_MS, { signal });
    } catch (error) {
      signal.throwIfAborted();
      const isForgotten = isBegun && isCode(error, 'NOT_FOUND');
      if (isForgotten) begins += 1;
      // A node that has just come may not know yet that we are a member.
      const isPassing = isCode(error, 'UNAVAILABLE', 'PERMISSION_DENIED');
      if (isForgotten ? begins >= BEGINS_MAX : !isPassing) throw error;
      if (clock.monotonicMs() - heardMs >= silenceMs) throw new SilentError(driven, error);
      if (isForgotten) [isBegun, revision] = [false, 0];
      await clock.sleep(AGAIN_MS, { signal });
    }
  }
}

/** It may come back: that is another thing than a node that says no. */
class SilentError extends CodedError {
  constructor({ name, silenceMs }: Driven, cause: unknown) {
    const reason = `Node "${name}" has not answered for ${formatDuration(silenceMs)}: ${messageOf(cause)}`;
    super('UNAVAILABLE', reason, { cause });
  }
}

/** The end of an image of which nothing is known. */
export function failedRow(at: number, image: SeedImage, error: unknown): ImageRow {
  const blobs = blobsOf(image);
  return {
    image: at,
    state: 'failed',
    bytesTotal: blobs.reduce((sum, { size }) => sum + size, 0),
    bytesPresent: 0,
    bytesFetched: 0,
    blobsVerified: 0,
    blobsTotal: blobs.length,
    reason: messageOf(error),
    code: codeOf(error),
    isRetriable: isRetriable(error),
    elapsedMs: 0,
  };
}
