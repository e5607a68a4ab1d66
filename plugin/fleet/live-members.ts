/** The mesh as providers and swarm see it: live members that speak our protocols, the same list until it changes. */
import type { Member, Mesh } from '../mesh/mesh.ts';
import type { LiveMembers, SwarmMember } from '../providers/providers.ts';

/** Changes are gathered for so long before they are told: a fleet that starts changes a thousand times a second, milliseconds. */
const GATHER_MS = 100;

export interface LiveMembersOptions {
  readonly mesh: Pick<Mesh, 'members' | 'onChange'>;
  readonly sleep: (ms: number) => Promise<void>;
  /** The list is another one now. */
  readonly onChange: () => void;
}

/** @returns the list, and what ends the listening */
export function followMembers(options: LiveMembersOptions): { members: LiveMembers; stop(): void } {
  let list = listOf(options.mesh);
  let isGathering = false;
  const tell = () => {
    isGathering = false;
    const next = listOf(options.mesh);
    if (isSame(list, next)) return;
    list = next;
    options.onChange();
  };
  const stop = options.mesh.onChange(() => {
    if (isGathering) return;
    isGathering = true;
    void options.sleep(GATHER_MS).then(tell);
  });
  return { members: () => list, stop };
}

/** By name. A suspect is alive until it is not: memberlist counts it so. */
function listOf(mesh: Pick<Mesh, 'members'>): readonly SwarmMember[] {
  return mesh
    .members()
    .flatMap((member) => liveOf(member) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function liveOf({ name, address, state, node }: Member): SwarmMember | undefined {
  if (node === undefined || (state !== 'alive' && state !== 'suspect')) return undefined;
  return { name, host: address, port: node.peerPort, zone: node.zone, mode: node.mode };
}

function isSame(a: readonly SwarmMember[], b: readonly SwarmMember[]): boolean {
  const keys = ['name', 'host', 'port', 'zone', 'mode'] as const;
  return a.length === b.length && a.every((one, at) => keys.every((key) => one[key] === b[at]?.[key]));
}
