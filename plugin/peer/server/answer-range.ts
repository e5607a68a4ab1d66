/** Sends one range of a blob, and what its bytes hash to. */
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { TokenBucket } from '../../../core/runtime/token-bucket.ts';
import type { OpenRange, RangeOffers, RangeRequest } from '../peer.ts';
import { SHA256_BYTES } from '../wire/range-path.ts';
import type { ResponseWriter } from './response-writer.ts';
import type { SendPace } from './send-pace.ts';

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
  /** Of the connection. */
  readonly pace: SendPace;
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
  let missing = turn.bytes;
  for await (const chunk of turn.open.chunks) {
    missing -= chunk.length;
    if (missing < 0) break;
    await sendChunk(deps, turn, chunk);
  }
  if (missing !== 0)
    throw new CodedError('INTERNAL', `A range of ${turn.bytes} bytes was opened with ${-missing} more`);
}

/** As much at a time as the peer takes soon. */
async function sendChunk(deps: AnswerRangeDeps, { writer, pace, signal }: RangeTurn, chunk: Uint8Array): Promise<void> {
  const { clock, limit, onSent } = deps;
  for (let at = 0; at < chunk.length; ) {
    const bytes = chunk.subarray(at, at + pace.bytes);
    const startedMs = clock.monotonicMs();
    await writer.write(bytes);
    at += bytes.length;
    onSent(bytes.length);
    const waitMs = limit?.take(bytes.length, clock.monotonicMs()) ?? 0;
    if (waitMs > 0) await clock.sleep(waitMs, { signal });
    pace.took(clock.monotonicMs() - startedMs);
  }
}
