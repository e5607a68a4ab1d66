/**
 * `POST /api/v1/seeds`: make nodes fetch, pin and verify images before anyone asks for them. One request is one group of
 * images for one list of nodes; the answer is `seed-line.ts`, one JSON value a line.
 *
 * All names are as on the wire. Bounds: 8 MiB of body, 1,000 images, 20,000 blobs over all of them, 10,000 targets.
 */

/** `content`: every blob whole, proven and pinned. `image`: then also pulled through the node's CRI, so that it is unpacked. */
export type SeedLevel = 'content' | 'image';

export interface SeedRequest {
  pin: {
    /** 1 to 100 of `A-Z a-z 0-9 . _ / : @ -`. Another seed with the same name adds its blobs to that pin. */
    name: string;
    /** ISO 8601, in the future. The pin ends by itself then; a later end replaces an earlier one, never the other way. */
    until: string;
  };
  /** In the order of their urgency: where room or `max_bytes_per_node` is short, the first ones win. */
  images: SeedImage[];
  /** Members' names; those that are not there now are reported, and seeded when they come while the pin lasts. */
  targets: string[];
  /** Members that are not named and come later, while the pin lasts. Absent: none. `{}`: every one. */
  newcomers?: SeedSelector;
  /** Default `content`. */
  level?: SeedLevel;
  limits?: SeedLimits;
}

/** Every list that is given must contain the member's own. */
export interface SeedSelector {
  zones?: string[];
  /** As `os/arch`: `linux/arm64`. */
  platforms?: string[];
}

export interface SeedImage {
  /** In full, as workloads name it: `docker.io/library/nginx:1.27`. Told in every line about this image. */
  ref: string;
  /** What it means in this run: an index, or a manifest. */
  digest: string;
  source: { registry: string; repository: string };
  /** The index (and indexes within) and the manifests, `digest` among them. */
  manifests: SeedManifest[];
  /** Configs and layers; foreign layers left out. */
  blobs: SeedBlob[];
  /**
   * The node's platforms that get this image, as `os/arch`; absent: every target. A target of another platform is `skipped`.
   * One image may be given several times, with other blobs for other platforms.
   */
  platforms?: string[];
  /**
   * A pull-only token for this repository, for nodes without a credential of their own. Only over a loopback connection to the
   * admin address: elsewhere the request is refused. It goes on in memory, over mutual TLS (or loopback), to this seed's targets alone.
   */
  token?: { value: string; expires_at: string };
}

export interface SeedBlob {
  digest: string;
  /** Bytes. */
  size: number;
  media_type: string;
}

export interface SeedManifest extends SeedBlob {
  /** Its bytes in base64, so that no node asks the registry for them again. Proven against the digest. Absent: the asked node gets it once for all. */
  data?: string;
}

export interface SeedLimits {
  /** Nodes at once, 1 to 10,000; default 50. */
  parallel_nodes?: number;
  /** Blobs at once on one node, 1 to 256; default 4. */
  parallel_blobs?: number;
  /** Bytes that one node may have to fetch; images that do not fit are `skipped`. Absent: what its disk has room for. */
  max_bytes_per_node?: number;
  /** For the whole seed, from its start, 1 to 86,400; default 3,600. What is not done then is `failed`, retriable. */
  deadline_seconds?: number;
  /** For one node, from its turn; default: what is left of the whole. */
  node_deadline_seconds?: number;
  /** A node that does not answer for so long is reported and left, 1 to 600; default 10. */
  silence_seconds?: number;
}
