/** Sends one range of a blob, and what its bytes hash to. */
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { TokenBucket } from '../../../core/runtime/token-bucket.ts';
import type { OpenRange, RangeOffers, RangeRequest } from '../peer.ts';
import { SHA256_BYTES } from '../wire/range-path.ts';
import type { ResponseWriter } from './response-writer.ts';

const CONTENT_TYPE = 'application/octet-stream';

export interface AnswerRangeDeps {
  readonly offers: RangeOffers;
  readonly clock: Clock;
  /** Of all peers together; undefined = no limit. */
  readonly limit: TokenBucket | undefined;
  readonly onSent: (bytes: number) => void;
}

export interface RangeTurn {
  readonly peer: string;
  readonly request: RangeRequest;
  readonly writer: ResponseWriter;
  readonly signal: AbortSignal;
}

/** @throws CodedError what `openRange` throws, INTERNAL when what it opened is not what was asked for */
export async function answerRange(deps: AnswerRangeDeps, turn: RangeTurn): Promise<void> {
  const { request, writer, signal } = turn;
  const open = await deps.offers.openRange(turn.peer, request, { signal });
  // It may fail before anybody waits for it.
  open.sha256.catch(() => undefined);
  const bytes = request.range.end - request.range.start;
  writer.head({ contentType: CONTENT_TYPE, contentLength: bytes + SHA256_BYTES });
  await sendChunks(deps, { ...turn, open, bytes });
  const sha256 = Buffer.from(await open.sha256, 'hex');
  if (sha256.length !== SHA256_BYTES) throw new CodedError('INTERNAL', 'A range was opened without its SHA-256');
  writer.end(sha256);
}

async function sendChunks(deps: AnswerRangeDeps, turn: RangeTurn & { open: OpenRange; bytes: number }): Promise<void> {
  const { open, writer, signal } = turn;
  let missing = turn.bytes;
  for await (const chunk of open.chunks) {
    missing -= chunk.length;
    if (missing < 0) break;
    if (chunk.length === 0) continue;
    await writer.write(chunk);
    deps.onSent(chunk.length);
    const waitMs = deps.limit?.take(chunk.length, deps.clock.monotonicMs()) ?? 0;
    if (waitMs > 0) await deps.clock.sleep(waitMs, { signal });
  }
  if (missing !== 0)
    throw new CodedError('INTERNAL', `A range of ${turn.bytes} bytes was opened with ${-missing} more`);
}
