/** Picking members by chance. `random` gives numbers from 0 to just below 1. */

/** A new order of `items`, each order equally likely (Fisher–Yates). In place. */
export function shuffle<T>(items: T[], random: () => number): void {
  for (let index = items.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    const held = items[index] as T;
    items[index] = items[other] as T;
    items[other] = held;
  }
}

/**
 * Up to `count` different items that `isWanted`. In a small list every fitting one is found; in a large one some may be
 * missed, so that a pick costs the same however many there are. (memberlist `util.go` kRandomNodes)
 */
export function pickRandom<T>(
  items: readonly T[],
  count: number,
  options: { random: () => number; isWanted: (item: T) => boolean },
): T[] {
  if (items.length < count * 3) {
    const order = items.filter(options.isWanted);
    shuffle(order, options.random);
    return order.slice(0, count);
  }
  const picked = new Set<T>();
  for (let attempt = 0; attempt < 3 * items.length && picked.size < count; attempt += 1) {
    const item = items[Math.floor(options.random() * items.length)];
    if (item !== undefined && options.isWanted(item)) picked.add(item);
  }
  return [...picked];
}
