/** The JSON forms of what is shown; names are part of the public interface, times are ISO 8601. Pure. */
import type { FlightStatus } from '../content/content.ts';
import type { BlobRow, ClaimRow, MemberRow, NodeStatus, PullProgress, Readiness, SwarmRow } from './admin.ts';

export function statusJson(status: NodeStatus, readiness: Readiness) {
  const { content, store } = status;
  return {
    name: status.name,
    zone: status.zone,
    version: status.version,
    started_at: time(status.startedAtMs),
    ...readiness,
    content: {
      socket: content.socket ?? null,
      root: content.root,
      claim: content.claim,
      containerd: content.containerd,
    },
    store: {
      blobs: store.blobs,
      bytes: store.bytes,
      bytes_by_hold: store.bytesByHold,
      capacity_bytes: store.capacityBytes,
      free_bytes: store.freeBytes,
    },
    pins: status.pins === undefined ? null : { count: status.pins.count, until: time(status.pins.lastUntilMs) },
    claims: status.claims,
    flights: status.flights,
    mesh: status.mesh === undefined ? null : meshJson(status.mesh),
  };
}

function meshJson(mesh: NonNullable<NodeStatus['mesh']>) {
  return {
    sealed: mesh.hasKey,
    insecure: mesh.isInsecure,
    bind: mesh.bind,
    peer: mesh.peer ?? null,
    members: mesh.members,
    banned: mesh.banned,
    join_failure: mesh.joinFailure ?? null,
    strangers: mesh.strangers.map(({ address, reason, lastAtMs }) => ({ address, reason, last_at: time(lastAtMs) })),
  };
}

export function memberJson({ name, address, port, state, node }: MemberRow) {
  const shoal = node && { zone: node.zone, peer_port: node.peerPort, version: node.version, mode: node.mode };
  return { name, address, port, state, node: shoal ?? null };
}

export function swarmJson(swarm: SwarmRow) {
  return {
    digest: swarm.digest,
    size: swarm.size,
    pieces: swarm.pieces,
    pieces_here: swarm.piecesHere,
    neighbours: swarm.neighbours,
    owner: swarm.owner ?? null,
    leases: swarm.leases,
    bytes_from_peers: swarm.bytesFromPeers,
    bytes_from_source: swarm.bytesFromSource,
  };
}

export function blobJson(blob: BlobRow) {
  return {
    digest: blob.digest,
    size: blob.size,
    holds: [...blob.holds],
    created_at: time(blob.createdAtMs),
    used_at: time(blob.usedAtMs),
    pinned_until: blob.pinnedUntilMs === undefined ? null : time(blob.pinnedUntilMs),
  };
}

export function claimJson(claim: ClaimRow) {
  return {
    digest: claim.digest,
    size: claim.size,
    sources: claim.sources.map(({ registry, repository }) => ({ registry, repository })),
    claimed_at: time(claim.claimedAtMs),
  };
}

export function flightJson(flight: FlightStatus) {
  return {
    digest: flight.digest,
    size: flight.size,
    bytes_present: flight.bytesPresent,
    readers: flight.readers,
    started_at: time(flight.startedAtMs),
    last_byte_at: time(flight.lastByteAtMs),
    source: flight.source ?? null,
  };
}

export function pullJson(progress: PullProgress) {
  return {
    kind: 'blob',
    digest: progress.digest,
    media_type: progress.mediaType,
    size: progress.size,
    bytes_present: progress.bytesPresent,
    state: progress.state,
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
