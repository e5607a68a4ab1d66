/** Every bound of our HTTP/2 endpoint, in one place. The peer is root on this machine, or a fuzzer. */
import { MESSAGE_BYTES_MAX } from '../endpoint.ts';

/** HTTP/2's own default; Go's gRPC sends no larger frames whatever it is told. */
export const FRAME_BYTES_MAX = 16_384;
/** A header block with its continuations; a call of containerd has some 200 bytes. */
export const HEADER_BLOCK_BYTES_MAX = 64 * 1024;
/** Frames of one header block, since empty ones cost nothing to send. */
export const CONTINUATIONS_MAX = 16;
/** Decoded names and values of one header block, with 32 bytes for each (RFC 9113 §10.5.1). */
export const HEADER_LIST_BYTES_MAX = 64 * 1024;
/** HPACK's dynamic table: the protocol's default. */
export const HEADER_TABLE_BYTES = 4096;
/** What a client may send on one stream before it is told to go on: a message of containerd's and more. */
export const STREAM_WINDOW = 4 * 1024 * 1024;
/** The same for a connection. */
export const CONNECTION_WINDOW = 32 * 1024 * 1024;
/** Messages of all streams of one connection that are not complete or not yet taken by their calls. */
export const BUFFERED_BYTES_MAX = 16 * MESSAGE_BYTES_MAX;
/** Bytes that wait for a client which does not read: no frame of its is looked at until they are fewer. */
export const UNSENT_BYTES_MAX = 4 * 1024 * 1024;
/**
 * Bytes of long answers that wait in the socket. What is answered meanwhile comes after them, and an Info of containerd's
 * waits inside its database transaction.
 */
export const BULK_UNSENT_BYTES_MAX = 64 * 1024;
/**
 * Bytes of long answers written in one turn of the event loop. A client that reads as fast as we write never fills the socket,
 * and what others ask for would wait until the answer is out.
 */
export const BULK_TURN_BYTES_MAX = 128 * 1024;
/** Bytes taken from one client in one turn, for the same reason: without it up to 2 MiB are received and hashed before anybody else is heard. */
export const RECEIVE_TURN_BYTES_MAX = 128 * 1024;
/** Answers up to this size are not held back: a Read of 32 KiB and its like. */
export const SHORT_ANSWER_BYTES = 64 * 1024;
/**
 * Resets of calls that still ran, a second. Go ends each Read so, mostly after its answer is out; a client that resets more
 * than can be served is held to attack (CVE-2023-44487).
 */
export const RESETS_PER_SECOND_MAX = 20_000;
/** A client that does not close a connection which has ended loses it after this time, with what it has not read. */
export const LINGER_MS = 5_000;
/** The client's first bytes must come within this time. */
export const PREFACE_TIMEOUT_MS = 10_000;
