/** Every bound of the peer port, each with its reason. Times in milliseconds. */

export interface PeerPortOptions {
  /** Bytes a second to all peers, and from all; absent = no limit. */
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
  readonly limits?: Partial<PeerLimits>;
}

export interface PeerLimits {
  /** Connections accepted at once; over it the one that is idle longest goes. Each costs some 50 KB. */
  readonly acceptedMax: number;
  /** Handshakes under way; outsiders cannot get further, so they cannot take more. */
  readonly handshakesMax: number;
  readonly handshakeTimeoutMs: number;
  /** Without a whole request; longer than the other side keeps an idle connection, so that it closes first. */
  readonly acceptedIdleMs: number;
  /** From a request's head to the end of its body. */
  readonly requestBodyMs: number;
  /** A reader that takes nothing for so long is given up. */
  readonly slowReaderMs: number;
  /** Ranges sent at once: each may hold a chunk of 1 MiB. */
  readonly uploadsMax: number;
  readonly uploadsPerPeerMax: number;
  /** Control calls answered at once. */
  readonly callsMax: number;
  readonly callsPerPeerMax: number;
  /** Of a control message, either way. */
  readonly messageBytesMax: number;
  /** No call runs longer, whatever its caller says. */
  readonly callDeadlineMsMax: number;
  /** Ranges received at once: each holds 1 MiB. */
  readonly downloadsMax: number;
  readonly downloadsPerPeerMax: number;
  readonly outgoingCallsMax: number;
  readonly outgoingCallsPerPeerMax: number;
  /** Who may wait for one of them. */
  readonly waitersMax: number;
  readonly connectTimeoutMs: number;
  /** A peer that sends nothing for so long, while it should, is silent. */
  readonly silentMs: number;
  /** An outgoing connection nobody used for so long is closed. */
  readonly idleMs: number;
  /** Idle outgoing connections kept, of ranges and of calls each; the oldest goes first. */
  readonly idleMax: number;
  readonly sweepEveryMs: number;
}

export const PEER_LIMITS: PeerLimits = {
  acceptedMax: 4096,
  handshakesMax: 256,
  handshakeTimeoutMs: 10_000,
  acceptedIdleMs: 90_000,
  requestBodyMs: 10_000,
  slowReaderMs: 30_000,
  uploadsMax: 64,
  uploadsPerPeerMax: 8,
  callsMax: 512,
  callsPerPeerMax: 64,
  messageBytesMax: 4 * 1024 * 1024,
  callDeadlineMsMax: 600_000,
  downloadsMax: 32,
  downloadsPerPeerMax: 8,
  outgoingCallsMax: 512,
  outgoingCallsPerPeerMax: 8,
  waitersMax: 4096,
  connectTimeoutMs: 5_000,
  silentMs: 15_000,
  idleMs: 60_000,
  idleMax: 512,
  sweepEveryMs: 1_000,
};
