/**
 * Who has which name and address. Every machine of the fleet stands on two bridges: the fleet's own, whose links are shaped, and
 * a wide one by which it is watched, so that watching takes nothing from what is measured. Pure.
 */

/** So many fit behind the addresses that are kept for others. */
export const NODES_MAX = 200;

const FIRST_NODE = 10;

/** One end of a cable, the namespace that it leads to, and its address on each bridge. */
export interface Machine {
  /** Also the name of its network namespace. */
  readonly name: string;
  /** On the shaped bridge. */
  readonly address: string;
  /** On the bridge for watching. */
  readonly watchAddress: string;
  /** The bridge's end of its shaped cable; 15 characters at most (IFNAMSIZ). */
  readonly port: string;
  readonly watchPort: string;
}

/** The namespace of the bridges, in which the benchmark itself runs. */
export const HUB_WATCH_ADDRESS = '10.78.0.1';
export const PREFIX_BITS = 24;

export const REGISTRY_MACHINE: Machine = machine('registry', 'reg', 2);

/** The nodes, in order. @throws RangeError for more than there are addresses */
export function planNodes(count: number): Machine[] {
  if (count > NODES_MAX) throw new RangeError(`A fleet of ${count} nodes, at most ${NODES_MAX} have addresses`);
  const digits = String(count - 1).length;
  return Array.from({ length: count }, (_, index) => {
    const number = String(index).padStart(Math.max(2, digits), '0');
    return machine(`node-${number}`, number, FIRST_NODE + index);
  });
}

function machine(name: string, short: string, host: number): Machine {
  return {
    name,
    address: `10.77.0.${host}`,
    watchAddress: `10.78.0.${host}`,
    port: `port-${short}`,
    watchPort: `watch-${short}`,
  };
}
