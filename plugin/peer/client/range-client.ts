/** Reading ranges from peers. */
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { TokenBucket } from '../../../core/runtime/token-bucket.ts';
import type { PeerAddress, PeerRanges, RangeRequest } from '../peer.ts';
import { rangePath, SHA256_BYTES } from '../wire/range-path.ts';
import type { ResponseHead } from '../wire/response-head.ts';
import { ERROR_BYTES_MAX, fromWire } from '../wire/status.ts';
import { MessageSink } from './body-sink.ts';
import type { ConnectionPool } from './connection-pool.ts';
import type { PeerConnection } from './peer-connection.ts';
import { RING_BYTES, RingSink } from './ring-sink.ts';

export interface RangeClientDeps {
  readonly pool: ConnectionPool;
  readonly clock: Clock;
  readonly onReceived: (bytes: number) => void;
}

export interface RangeClientOptions {
  readonly limit: TokenBucket | undefined;
  /** Rings kept for the next ranges. */
  readonly sparesMax: number;
}

type Take = (bytes: Uint8Array) => Promise<void>;

export class RangeClient implements PeerRanges {
  readonly #deps: RangeClientDeps;
  readonly #options: RangeClientOptions;
  readonly #spares: Buffer[] = [];

  constructor(deps: RangeClientDeps, options: RangeClientOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async readRange(peer: PeerAddress, request: RangeRequest, take: Take, { signal }: { signal: AbortSignal }) {
    let hasTaken = false;
    const takeLimited: Take = async (bytes) => {
      hasTaken = true;
      await take(bytes);
      await this.#count(bytes.length, signal);
    };
    const use = (connection: PeerConnection) => this.#read(connection, { peer, request, take: takeLimited });
    return await this.#deps.pool.run(peer, use, { signal, mayRepeat: () => !hasTaken });
  }

  async #read(
    connection: PeerConnection,
    { peer, request, take }: { peer: PeerAddress; request: RangeRequest; take: Take },
  ): Promise<string> {
    const bytes = request.range.end - request.range.start;
    const ring = this.#spares.pop() ?? Buffer.allocUnsafeSlow(RING_BYTES);
    const body = new RingSink(ring);
    const head = `GET ${rangePath(request)} HTTP/1.1\r\nHost: ${peer.host.includes(':') ? `[${peer.host}]` : peer.host}\r\n\r\n`;
    try {
      let status = 0;
      const sink = await connection.request(Buffer.from(head, 'latin1'), (answer) => {
        status = answer.status;
        return answer.status === 200 ? checked(answer, bytes, body) : errorSink(answer);
      });
      if (sink instanceof MessageSink) throw fromWire(await sink.whole(), { peer: peer.name, status });
      await takeAll(body, { bytes, take, connection });
      return (await takeSmall(body, SHA256_BYTES)).toString('hex');
    } catch (error) {
      // Bytes that still come would be written into a ring that another range uses by then.
      if (!connection.isFree) connection.close(new CodedError('UNAVAILABLE', 'Range was given up'));
      throw error;
    } finally {
      if (this.#spares.length < this.#options.sparesMax) this.#spares.push(ring);
    }
  }

  async #count(bytes: number, signal: AbortSignal): Promise<void> {
    this.#deps.onReceived(bytes);
    const waitMs = this.#options.limit?.take(bytes, this.#deps.clock.monotonicMs()) ?? 0;
    if (waitMs > 0) await this.#deps.clock.sleep(waitMs, { signal });
  }
}

function checked(head: ResponseHead, bytes: number, sink: RingSink): RingSink {
  if (head.contentLength === bytes + SHA256_BYTES) return sink;
  throw new CodedError('UNAVAILABLE', `Peer sends ${head.contentLength} bytes for a range of ${bytes}`);
}

export function errorSink(head: ResponseHead): MessageSink {
  if (head.contentLength <= ERROR_BYTES_MAX) return new MessageSink(head.contentLength);
  throw new CodedError('UNAVAILABLE', `Peer answered ${head.status} with a text of ${head.contentLength} bytes`);
}

async function takeAll(
  body: RingSink,
  range: { bytes: number; take: Take; connection: PeerConnection },
): Promise<void> {
  for (let missing = range.bytes; missing > 0; ) {
    const run = await body.next(missing);
    await range.take(run);
    missing -= run.length;
    body.release(run.length);
    if (body.hasRoom()) range.connection.resume();
  }
}

/** A few bytes, copied. */
async function takeSmall(body: RingSink, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let missing = bytes; missing > 0; ) {
    const run = await body.next(missing);
    parts.push(Buffer.from(run));
    missing -= run.length;
    body.release(run.length);
  }
  return Buffer.concat(parts);
}
