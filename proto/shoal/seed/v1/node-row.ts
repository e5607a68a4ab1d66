/**
 * `GET /api/v1/nodes`: every live member that carries our tag, this one included, with what it says of itself; one a line
 * (`application/x-ndjson`). Facts may be ten seconds old.
 */
export interface NodeRow {
  name: string;
  address: string;
  zone: string;
  version: string;
  mode: 'full' | 'leech' | 'observer';
  /** Whether it answered within five seconds; when not, all that follows is null. */
  reached: boolean;
  /** In Go's words, as image indexes spell them. */
  platform: { os: string; architecture: string; variant: string | null } | null;
  /** Kubernetes' well-known ones, from what the node knows of itself: `kubernetes.io/hostname`, `kubernetes.io/os`, `kubernetes.io/arch`, `topology.kubernetes.io/zone`. */
  labels: Record<string, string> | null;
  /** Free on the file system of its store. */
  free_bytes: number | null;
  /** What a seed may fill: free bytes and what the cache would give up, less `store.min_free`. */
  room_bytes: number | null;
  /** Whether level `image` can be had: its runtime answers. */
  can_unpack: boolean | null;
}
