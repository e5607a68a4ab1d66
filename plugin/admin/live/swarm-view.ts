/** The swarms of the fleet as the page reads them: who downloads a blob, and how much of it is where. Pure. */
import type { Digest } from '../../../core/oci/digest.ts';
import { meanMap } from '../../survey/piece-map.ts';
import type { SwarmFacts } from '../../survey/survey.ts';

/** Blobs shown at once; the largest win. */
export const SWARMS_SHOWN_MAX = 24;
/** Members of one swarm shown one by one; those with the least of it first, because they are waited for. */
export const SWARM_MEMBERS_SHOWN_MAX = 40;

export interface SwarmView {
  readonly digest: Digest;
  readonly size: number;
  readonly pieces: number;
  /** Repositories that it comes from, as far as this node knows. */
  readonly sources: readonly string[];
  /** That download it, as far as they told. */
  readonly members: number;
  /** Over all of them. */
  readonly map: string;
  readonly bytes_from_peers: number;
  readonly bytes_from_source: number;
  readonly rows: readonly SwarmMemberView[];
}

export interface SwarmMemberView {
  readonly name: string;
  readonly zone: string;
  readonly pieces_here: number;
  readonly map: string;
  readonly leases: number;
  readonly bytes_from_peers: number;
  readonly bytes_from_source: number;
}

export interface InSwarm {
  readonly name: string;
  readonly zone: string;
  readonly swarms: readonly SwarmFacts[];
}

export function swarmViews(members: Iterable<InSwarm>, sourcesOf: (digest: Digest) => readonly string[]): SwarmView[] {
  const byDigest = new Map<Digest, { member: InSwarm; swarm: SwarmFacts }[]>();
  for (const member of members) {
    for (const swarm of member.swarms) {
      const together = byDigest.get(swarm.digest) ?? [];
      byDigest.set(swarm.digest, [...together, { member, swarm }]);
    }
  }
  return [...byDigest.values()]
    .map((together) => swarmView(together, sourcesOf))
    .sort((a, b) => b.size * b.members - a.size * a.members || (a.digest < b.digest ? -1 : 1))
    .slice(0, SWARMS_SHOWN_MAX);
}

function swarmView(
  together: readonly { member: InSwarm; swarm: SwarmFacts }[],
  sourcesOf: (digest: Digest) => readonly string[],
): SwarmView {
  const [first] = together;
  if (first === undefined) throw new Error('A swarm has no member');
  const { digest, size, pieces } = first.swarm;
  const alike = together.filter(({ swarm }) => swarm.size === size && swarm.pieces === pieces);
  const rows = alike
    .map(({ member, swarm }) => ({
      name: member.name,
      zone: member.zone,
      pieces_here: swarm.piecesHere,
      map: swarm.map,
      leases: swarm.leases,
      bytes_from_peers: swarm.bytesFromPeers,
      bytes_from_source: swarm.bytesFromSource,
    }))
    .sort((a, b) => a.pieces_here - b.pieces_here || (a.name < b.name ? -1 : 1));
  return {
    digest,
    size,
    pieces,
    sources: sourcesOf(digest),
    members: alike.length,
    map: meanMap(alike.map(({ swarm }) => swarm.map)),
    bytes_from_peers: alike.reduce((sum, { swarm }) => sum + swarm.bytesFromPeers, 0),
    bytes_from_source: alike.reduce((sum, { swarm }) => sum + swarm.bytesFromSource, 0),
    rows: rows.slice(0, SWARM_MEMBERS_SHOWN_MAX),
  };
}
