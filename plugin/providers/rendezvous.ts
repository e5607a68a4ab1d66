/**
 * Rendezvous (highest random weight) hashing: every member scores every digest alike everywhere, and when one comes or goes
 * only the digests that it scored best for change hands. Pure. (Thaler and Ravishankar, 1998; mixing: MurmurHash3's fmix32)
 */
import { type Digest, hexOf } from '../../core/oci/digest.ts';
import type { SwarmMember } from './providers.ts';

/** Owners of one digest: one that works and two to follow. */
export const OWNERS_COUNT = 3;
/** Names whose hash is remembered; beyond that they are hashed again. */
const NAMES_MAX = 20_000;

const hashes = new Map<string, number>();

/** Digests whose owners are remembered for one list of members. */
const REMEMBERED_MAX = 2_048;

const remembered = new WeakMap<readonly object[], Map<Digest, readonly number[]>>();

/** The owners of a digest, first owner first. Observers own nothing. The list must not be changed in place. */
export function ownersOf<M extends Pick<SwarmMember, 'name' | 'mode'>>(digest: Digest, members: readonly M[]): M[] {
  const known = remembered.get(members) ?? new Map<Digest, readonly number[]>();
  remembered.set(members, known);
  const positions = known.get(digest) ?? positionsOf(digest, members);
  if (known.size >= REMEMBERED_MAX) known.clear();
  known.set(digest, positions);
  return positions.flatMap((at) => members[at] ?? []);
}

function positionsOf(digest: Digest, members: readonly Pick<SwarmMember, 'name' | 'mode'>[]): number[] {
  const hex = hexOf(digest);
  const low = Number.parseInt(hex.slice(0, 8), 16);
  const high = Number.parseInt(hex.slice(8, 16), 16);
  const best: Scored[] = [];
  for (const [at, member] of members.entries()) {
    if (member.mode === 'observer') continue;
    const score = mix(mix(hashOfName(member.name) ^ low) ^ high);
    const worst = best[best.length - 1];
    if (best.length === OWNERS_COUNT && worst !== undefined && !isBefore({ at, member, score }, worst)) continue;
    best.push({ at, member, score });
    best.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    best.length = Math.min(best.length, OWNERS_COUNT);
  }
  return best.map(({ at }) => at);
}

interface Scored {
  readonly at: number;
  readonly member: { readonly name: string };
  readonly score: number;
}

function isBefore(a: Scored, b: Scored): boolean {
  return a.score === b.score ? a.member.name < b.member.name : a.score > b.score;
}

function hashOfName(name: string): number {
  const known = hashes.get(name);
  if (known !== undefined) return known;
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  if (hashes.size >= NAMES_MAX) hashes.clear();
  hashes.set(name, mix(hash));
  return mix(hash);
}

function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
