/** When seeding has to begin so that everything is warm in time. Pure. */

export interface Lead {
  /** Everything is warm so long before the event. */
  readonly marginMs: number;
  /** What the transfer is taken to last when bytes or rate are not known. */
  readonly defaultLeadMs: number;
  /** Over all target nodes; undefined when an image was not resolved. */
  readonly bytesMissing: number | undefined;
  /** What the fleet moves; undefined when nothing was measured yet. */
  readonly bytesPerSecond: number | undefined;
}

/** event − margin − bytes missing ÷ expected rate, in milliseconds since the epoch. May lie in the past: then at once. */
export function startBy(eventMs: number, lead: Lead): number {
  return eventMs - lead.marginMs - transferMs(lead);
}

function transferMs({ bytesMissing, bytesPerSecond, defaultLeadMs }: Lead): number {
  if (bytesMissing === 0) return 0;
  if (bytesMissing === undefined || bytesPerSecond === undefined || bytesPerSecond <= 0) return defaultLeadMs;
  return Math.ceil((bytesMissing / bytesPerSecond) * 1000);
}
