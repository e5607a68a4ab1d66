/**
 * How far a time zone is from UTC at an instant, from Intl alone. Asking Intl costs microseconds, and a search over five years
 * asks often, so each zone's changes are found once a year and remembered.
 */

const DAY_MS = 86_400_000;
const SECOND_MS = 1000;
/** Zones remembered; the tz database has about 600 names. */
const ZONES_MAX = 700;
/** Years remembered for one zone; a search spans six. */
const YEARS_MAX = 64;

interface OffsetSpan {
  /** From this instant on, until the next span's. */
  readonly fromMs: number;
  readonly offsetMs: number;
}

interface ZoneMemory {
  readonly format: Intl.DateTimeFormat;
  readonly years: Map<number, readonly OffsetSpan[]>;
}

const zones = new Map<string, ZoneMemory>();

/** Milliseconds to add to UTC for local time; `zone` must be a name that Intl knows. */
export function zoneOffsetMs(zone: string, atMs: number): number {
  if (zone === 'UTC') return 0;
  const memory = memoryOf(zone);
  const year = new Date(atMs).getUTCFullYear();
  let spans = memory.years.get(year);
  if (spans === undefined) {
    spans = spansOfYear(memory.format, year);
    if (memory.years.size >= YEARS_MAX) memory.years.clear();
    memory.years.set(year, spans);
  }
  let offsetMs = 0;
  for (const span of spans) {
    if (span.fromMs > atMs) break;
    offsetMs = span.offsetMs;
  }
  return offsetMs;
}

function memoryOf(zone: string): ZoneMemory {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  if (zones.size >= ZONES_MAX) zones.clear();
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  const memory: ZoneMemory = { format, years: new Map() };
  zones.set(zone, memory);
  return memory;
}

/** No zone changes twice in a day, so days are compared and the changed ones halved down to the second. */
function spansOfYear(format: Intl.DateTimeFormat, year: number): OffsetSpan[] {
  const startMs = Date.UTC(year, 0, 1);
  const endMs = Date.UTC(year + 1, 0, 1);
  const spans: OffsetSpan[] = [{ fromMs: startMs, offsetMs: readOffset(format, startMs) }];
  let before = spans[0]?.offsetMs ?? 0;
  for (let dayMs = startMs + DAY_MS; dayMs <= endMs; dayMs += DAY_MS) {
    const offsetMs = readOffset(format, dayMs);
    if (offsetMs !== before) spans.push({ fromMs: changeBetween(format, dayMs - DAY_MS, dayMs), offsetMs });
    before = offsetMs;
  }
  return spans;
}

function changeBetween(format: Intl.DateTimeFormat, lowMs: number, highMs: number): number {
  const before = readOffset(format, lowMs);
  let low = lowMs;
  let high = highMs;
  while (high - low > SECOND_MS) {
    const middle = low + Math.floor((high - low) / 2 / SECOND_MS) * SECOND_MS;
    if (readOffset(format, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

function readOffset(format: Intl.DateTimeFormat, atMs: number): number {
  const match = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(format.format(atMs));
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match ?? [];
  const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * SECOND_MS;
  return sign === '-' ? -ms : ms;
}
