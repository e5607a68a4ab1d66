/** Every bound of seeding, each with its reason. Times in milliseconds. */

/** One request; beyond it a message to a node would be too large. */
export const IMAGES_MAX = 1_000;
export const BLOBS_MAX = 20_000;
export const TARGETS_MAX = 10_000;
/** Bytes of manifests in one order to a node: its message may have 4 MiB. */
export const MANIFEST_BYTES_MAX = 1024 * 1024;
/** Orders at work on one node: each may hold all of `BLOBS_MAX`. */
export const ORDERS_MAX = 16;
/** An order that nobody asks about any more is not wanted. */
export const UNWATCHED_MS = 30_000;
/** A finished order is remembered for the last question about it. */
export const REMEMBERED_MS = 60_000;
/** So many of them at once; beyond it the oldest is forgotten. */
export const REMEMBERED_MAX = 128;
/** Requests at work at one node. */
export const SEEDS_MAX = 16;
/** Seeds kept for newcomers: those of some days. Beyond it, the one that ends first is forgotten. */
export const KEPT_MAX = 256;
/** A node that is asked how far it is may wait so long for something to end: the call holds one of the few places that calls to it have. */
export const WATCH_MS = 250;
/** It is asked again after this: progress is told about once a second. */
export const WATCH_PAUSE_MS = 500;
/** A message to a node and back, when both are well. */
export const CALL_MS = 5_000;
/** Members asked at once for facts or presence. */
export const ASKED_AT_ONCE = 64;
/** Digests of one presence question to a node: 34 bytes each. */
export const PRESENCE_MAX = 50_000;
/** Facts of a member are believed for so long. */
export const FACTS_MS = 10_000;
/** Newcomers of one seed that are seeded at once. */
export const NEWCOMERS_AT_ONCE = 8;
/** Names with a lease; a fleet has a handful of warmers. */
export const LEASES_MAX = 256;
