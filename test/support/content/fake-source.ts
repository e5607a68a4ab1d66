/** A source that serves what it is given, as fast as its gate lets it. */
import type { BlobSource, FlightSink, Route, Want } from '../../../plugin/content/blob-source.ts';

/** Bytes of one write. */
export const FAKE_WRITE_BYTES = 64 * 1024;

export class FakeSource implements BlobSource {
  readonly name: string;
  answer: Route = 'yes';
  /** What it sends; changed bytes make it a liar. */
  bytes: Uint8Array;
  /** Asked before each write; may wait, may throw. */
  gate: (offset: number, signal: AbortSignal) => Promise<void> | void = () => undefined;
  /** Ranges that were written. */
  readonly sent: { start: number; end: number }[] = [];
  fetches = 0;
  toldWrong = 0;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.bytes = bytes;
  }

  prepare(): void {}

  route(): Route {
    return this.answer;
  }

  async settled(): Promise<void> {}

  async fetch(_: Want, sink: FlightSink, { signal }: { signal: AbortSignal }): Promise<void> {
    this.fetches += 1;
    for (let gap = sink.nextGap(FAKE_WRITE_BYTES); gap !== undefined; gap = sink.nextGap(FAKE_WRITE_BYTES)) {
      await this.gate(gap.start, signal);
      signal.throwIfAborted();
      this.sent.push(gap);
      await sink.write(gap.start, this.bytes.subarray(gap.start, gap.end));
    }
  }

  sentWrongBytes(): void {
    this.toldWrong += 1;
  }
}

/** Waits for an abort, for sources that hang. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
