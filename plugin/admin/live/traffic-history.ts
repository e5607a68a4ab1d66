/** Bytes from registries, from other nodes, and to readers, over time: what members counted since they were seen first. Bounded. */
import type { MemberFacts } from '../../survey/survey.ts';

/** Half an hour at one point in five seconds. */
export const POINTS_MAX = 360;
export const POINT_EVERY_MS = 5_000;

type Counted = Pick<MemberFacts, 'bytesFromRegistries' | 'bytesFromPeers' | 'bytesServed'>;

export interface TrafficPoint {
  /** Milliseconds since the epoch: the end of the interval. */
  readonly at: number;
  /** Bytes a second over the interval. */
  readonly registries: number;
  readonly peers: number;
  readonly served: number;
}

export class TrafficHistory {
  readonly #points: TrafficPoint[] = [];
  #last = new Map<string, Counted>();
  #lastMs: number | undefined;

  points(): readonly TrafficPoint[] {
    return this.#points;
  }

  /** @param members what each counted since it started; those not known now are left out until they are */
  sample(nowMs: number, members: Iterable<readonly [name: string, counted: Counted]>): TrafficPoint | undefined {
    const next = new Map(members);
    const before = this.#last;
    const sinceMs = this.#lastMs === undefined ? 0 : nowMs - this.#lastMs;
    this.#last = next;
    this.#lastMs = nowMs;
    if (sinceMs <= 0) return undefined;
    const rate = (key: keyof Counted) => (grown(before, next, key) * 1000) / sinceMs;
    const point = {
      at: nowMs,
      registries: Math.round(rate('bytesFromRegistries')),
      peers: Math.round(rate('bytesFromPeers')),
      served: Math.round(rate('bytesServed')),
    };
    this.#points.push(point);
    if (this.#points.length > POINTS_MAX) this.#points.shift();
    return point;
  }
}

/** One that is new counts from now on; one that started again counts from nothing. */
function grown(before: ReadonlyMap<string, Counted>, next: ReadonlyMap<string, Counted>, key: keyof Counted): number {
  let sum = 0;
  for (const [name, counted] of next) {
    const last = before.get(name);
    if (last === undefined) continue;
    sum += counted[key] >= last[key] ? counted[key] - last[key] : counted[key];
  }
  return sum;
}
