/**
 * Waves: first one node of each zone where nobody has the images yet, which fetch from the registry; then as many nodes as
 * there are holders, so that every holder feeds one, and holders double. The mesh does the work. Pure.
 */
import { type Placed, zoneOrder } from './zone-order.ts';

/** @param holders nodes that have it all already, wherever they are */
export function makeWaves(missing: readonly Placed[], holders: readonly Placed[], salt: string): string[][] {
  const ordered = zoneOrder(missing, salt);
  const fedZones = new Set(holders.map(({ zone }) => zone));
  const seeds = ordered.filter(({ zone }) => {
    const isFirst = !fedZones.has(zone);
    fedZones.add(zone);
    return isFirst;
  });
  const isSeed = new Set(seeds);
  const others = ordered.filter((node) => !isSeed.has(node));
  const waves = seeds.length === 0 ? [] : [seeds];
  let holderCount = holders.length + seeds.length;
  for (let at = 0; at < others.length; ) {
    const wave = others.slice(at, at + Math.max(holderCount, 1));
    waves.push(wave);
    at += wave.length;
    holderCount += wave.length;
  }
  return waves.map((wave) => wave.map(({ name }) => name));
}
