/** The mirror's bounds, each with its reason. */

/** Connections at once. A node's runtimes open some dozens; beyond it the longest idle one makes room. */
export const CONNECTIONS_MAX = 4_096;
/** Accepted at once, those that are being closed to make room among them. */
export const ACCEPTED_MAX = 2 * CONNECTIONS_MAX;
/** Names of 255 characters, a long token and room to spare; node:http answers 431 beyond. */
export const HEADER_BYTES_MAX = 32 * 1024;
/** Headers in one request. */
export const HEADERS_MAX = 100;
/** A request without a body is there at once, milliseconds. */
export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 15_000;
/** An idle connection is kept so long, milliseconds; runtimes come back within an image's pull. */
export const KEEP_ALIVE_MS = 15_000;
/** After the answer to what could not be read, its sender has so long to read that, milliseconds. */
export const LINGER_MS = 1_000;
/** How often late connections are looked for, milliseconds. */
export const CONNECTIONS_CHECK_MS = 2_000;
/** Requests on one connection, so that none lives for ever. */
export const REQUESTS_PER_SOCKET_MAX = 10_000;
/** A reader that takes nothing for so long is gone, milliseconds. */
export const STALL_MS = 60_000;
/** How long running answers may go on after `stop`, milliseconds. */
export const STOP_GRACE_MS = 2_000;
/** Bodies of blobs sent at once: each holds up to two chunks of 1 MiB. */
export const BODIES_MAX = 128;
/** Requests that wait for one of these. */
export const BODIES_WAITING_MAX = 2_048;
/** And how long, milliseconds; then the client had better ask the registry. */
export const BODY_WAIT_MS = 15_000;
/** Ranges of one request; more are a mistake or an attack (RFC 9110, section 14.2), and the whole is sent. */
export const RANGES_MAX = 32;
/** Parameters of one query, and the length of a key or value: what a registry's own paging needs. */
export const QUERY_PARAMETERS_MAX = 8;
export const QUERY_TEXT_MAX = 2_048;
/** Other nodes are asked for a manifest for so long before the registry is, milliseconds. */
export const OTHERS_MS = 100;
/** And for its bytes, milliseconds. */
export const OTHERS_FETCH_MS = 3_000;
/**
 * A blob of which no byte comes for so long is not waited for: the client had better ask the registry. More than the turn that
 * a download of many waits for at its registry, milliseconds.
 */
export const PATIENCE_MS = 20_000;
