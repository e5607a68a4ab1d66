/** What a gRPC transport is to the server: it listens, drains and goes. Two implementations stand behind it. */

/** Bytes of one message from a client. containerd's clients cut what they write at 8 MiB; their own limit is 16 MiB. */
export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Streams open at once on one connection. Every running Write of containerd is one, and a client that is held at this limit
 * holds Info back too, inside a database transaction; so it lies above the store's own limit of open refs.
 */
export const STREAMS_MAX = 16_384;

/** Connections at once: containerd opens one, tools a few. */
export const CONNECTIONS_MAX = 256;

export interface Endpoint {
  /** Listens on a path that does not exist. */
  listen(path: string): Promise<void>;
  /** Takes no new calls; resolves when the running ones have ended. */
  drain(): Promise<void>;
  /** Ends everything at once, running calls too. */
  destroy(): void;
}
