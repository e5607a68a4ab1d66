/** Every bound of the mesh, with its reason. Those that the protocol sets say so. */

/** Members that a table holds; far above the fleets we simulate, and some 20 MiB of memory. */
export const MEMBERS_MAX = 32_768;

/** The longest member name. serf refuses more than 128; memberlist has no bound of its own. */
export const NAME_BYTES_MAX = 255;

/** memberlist: `MetaMaxSize`. */
export const META_BYTES_MAX = 512;

/** memberlist: `UDPBufferSize` of every preset; fits the smallest common MTU. */
export const PACKET_BYTES_MAX = 1_400;

/** What may arrive in one datagram: all that UDP can carry. */
export const RECEIVED_PACKET_BYTES_MAX = 65_535;

/** What one compressed packet may become. Senders compress at most PACKET_BYTES_MAX, so a gain above 46 is an attack. */
export const INFLATED_PACKET_BYTES_MAX = 65_535;

/** Compound in compressed in compound is as deep as any sender goes. */
export const PACKET_NESTING_MAX = 4;

/** Arrays and maps within one another, where we skip what we do not know. */
export const MSGPACK_NESTING_MAX = 16;

/** memberlist: `maxPushStateBytes`; one stream message as it arrives. */
export const STREAM_BYTES_MAX = 20 * 1024 * 1024;

/** memberlist: `maxDecompressedBytes`. */
export const INFLATED_STREAM_BYTES_MAX = 2 * STREAM_BYTES_MAX;

/** What all inbound streams together may have buffered: their senders are not known yet. */
export const STREAM_BYTES_TOTAL_MAX = 64 * 1024 * 1024;

/** Inbound streams at once. memberlist: `maxPushPullRequests`. */
export const STREAMS_MAX = 128;

/** Of those, from one address, so that one outsider cannot hold them all. */
export const STREAMS_PER_ADDRESS_MAX = 32;

/** Outbound streams at once: probes' fallbacks, state exchanges, joins. */
export const STREAMS_OUT_MAX = 64;

/** Rumours that wait for their turn, per queue. serf: `MaxQueueDepth`. */
export const BROADCASTS_MAX = 4_096;

/** Answers waited for: our own probe, and probes made for others. The oldest is forgotten beyond. */
export const AWAITED_ACKS_MAX = 4_096;

/** Members that failed and are tried again for a day, as serf does. */
export const LOST_MEMBERS_MAX = 4_096;

/** Intents kept for members not heard of yet, and Lamport times of members gone. */
export const INTENTS_MAX = 8_192;

/** Beyond it an incarnation could not be refuted within 32 bits: a lie. */
export const INCARNATION_MAX = 0xffff_0000;

/** Addresses tried in one round of joining, however many a name has. */
export const JOIN_ENDPOINTS_MAX = 64;
