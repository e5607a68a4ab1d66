/** How bytes travel between members: the one thing, with clock and chance, that a simulation replaces. */

export interface Endpoint {
  /** An IP address in canonical text. */
  readonly address: string;
  readonly port: number;
}

export interface Transport {
  /** One datagram, which may be lost. Never throws. */
  sendPacket(to: Endpoint, packet: Buffer): void;
  /**
   * Opens a stream, sends one plain message, reads one plain message and closes. `done` is called exactly once, never
   * before this returns; with a failure when the other side is silent for `timeoutMs`, refuses, or answers nonsense.
   */
  exchange(to: Endpoint, message: Buffer, options: { timeoutMs: number }, done: ExchangeDone): void;
}

export type ExchangeDone = (outcome: { answer: Buffer } | { failure: Error }) => void;
