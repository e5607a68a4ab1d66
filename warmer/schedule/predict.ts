/** From documents to events: every announcer is asked about every object that it knows. */
import { formatPath } from '../sources/extract/path-pattern.ts';
import { clipped, type Unresolved } from '../sources/unresolved.ts';
import { type Announcement, type AnnouncerRow, isRefusal, type Refusal } from './announce/announcement.ts';
import { ANNOUNCERS } from './announce/announcers.ts';
import type { Forecast, ForecastInput, ForecastOptions, ScaleEvent } from './schedule.ts';
import type { ManifestObject } from './world/manifest-object.ts';
import { makeWorld } from './world/world.ts';

/** Events kept in all. Beyond them each schedule gives its nearest one only, which is the one that decides. */
const EVENTS_MAX = 100_000;

/** Predicts the scale-outs within `horizonMs` of `nowMs`. Never throws for what a document says. */
export function predictEvents(input: ForecastInput, options: ForecastOptions): Forecast {
  const world = makeWorld(input, options);
  const events: ScaleEvent[] = [];
  const unresolved: Unresolved[] = [];
  for (const object of world.objects.all()) {
    for (const row of rowsFor(object)) {
      for (const finding of row.announce(object, world)) {
        if (isRefusal(finding)) unresolved.push(toUnresolved(finding, object));
        else events.push(...toEvents(finding, object, EVENTS_MAX - events.length));
      }
    }
  }
  return { events: events.sort(compareEvents), unresolved };
}

const ROWS_BY_KIND = Map.groupBy(
  ANNOUNCERS.flatMap((row) => row.kinds.map((kind) => ({ kind, row }))),
  ({ kind }) => kind,
);

function rowsFor({ kind, group }: ManifestObject): AnnouncerRow[] {
  const rows = (ROWS_BY_KIND.get(kind) ?? []).map(({ row }) => row);
  return rows.filter(({ groups }) => groups.includes(group) || groups.includes('*'));
}

function toEvents(announcement: Announcement, object: ManifestObject, room: number): ScaleEvent[] {
  const { document } = object;
  const uses = announcement.targets.flatMap(({ images }) => images.map(({ reference }) => reference));
  const images = announcement.newImages ?? uses;
  const common = {
    kind: object.kind,
    namespace: object.namespace,
    name: object.name,
    replicas: announcement.replicas,
    schedule: announcement.schedule,
    timezone: announcement.timezone,
    images: [...new Set(images)].sort(),
    targets: announcement.targets,
    file: document.file,
    document: document.document,
    line: document.lineOf(announcement.path),
    path: formatPath(announcement.path),
  };
  return announcement.times.slice(0, Math.max(room, 1)).map((at) => ({ at, ...common }));
}

function toUnresolved(refusal: Refusal, { document }: ManifestObject): Unresolved {
  return {
    file: document.file,
    line: document.lineOf(refusal.path),
    document: document.document,
    value: clipped(refusal.value),
    reason: refusal.reason,
  };
}

function compareEvents(a: ScaleEvent, b: ScaleEvent): number {
  return a.at - b.at || compareTexts(a.file, b.file) || a.document - b.document || a.line - b.line;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
