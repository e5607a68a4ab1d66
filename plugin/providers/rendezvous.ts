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

/** The owners of a digest, first owner first. Observers own nothing. */
export function ownersOf<M extends Pick<SwarmMember, 'name' | 'mode'>>(
  digest: Digest,
  members: readonly M[],
  count: number = OWNERS_COUNT,
): M[] {
  const hex = hexOf(digest);
  const low = Number.parseInt(hex.slice(0, 8), 16);
  const high = Number.parseInt(hex.slice(8, 16), 16);
  const best: { member: M; score: number }[] = [];
  for (const member of members) {
    if (member.mode === 'observer') continue;
    const score = mix(mix(hashOfName(member.name) ^ low) ^ high);
    const worst = best[best.length - 1];
    if (best.length === count && worst !== undefined && !isBefore({ member, score }, worst)) continue;
    best.push({ member, score });
    best.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    best.length = Math.min(best.length, count);
  }
  return best.map(({ member }) => member);
}

interface Scored {
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
