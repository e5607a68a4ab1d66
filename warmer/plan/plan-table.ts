/** The plan as people read it, to decide from: plain text, aligned. Pure. */
import { formatBytes } from '../../core/runtime/units.ts';
import type { Plan, SeedGroup } from './plan.ts';
import { alignColumns } from './text-columns.ts';

/** Rows of one section; the rest is counted. JSON has all of them. */
const ROWS_MAX = 40;

export function planTable(plan: Plan): string {
  const sections = [imagesSection, eventsSection, nodesSection, wavesSection, unresolvedSection].flatMap((section) =>
    section(plan),
  );
  return `${[...sections, totalsLine(plan)].join('\n\n')}\n`;
}

function imagesSection({ images, atMs }: Plan): string[] {
  const rows = images.map((image) => [
    image.reference,
    image.bytes === undefined ? '?' : formatBytes(image.bytes),
    image.platforms.join(' ') || '-',
    `${image.nodeCount}`,
    image.dueMs === undefined ? '-' : whenOf(image.dueMs, atMs),
    usedBy(image.usedBy),
  ]);
  return section('Images', ['IMAGE', 'SIZE', 'PLATFORMS', 'NODES', 'NEEDED', 'USED BY'], rows);
}

function eventsSection({ events, atMs }: Plan): string[] {
  const rows = events.map((event) => [
    minuteOf(event.at),
    event.startByMs <= atMs ? 'now' : minuteOf(event.startByMs),
    event.kind,
    [event.namespace, event.name].filter(Boolean).join('/'),
    event.replicas === undefined ? '-' : `${event.replicas}`,
    event.schedule === undefined
      ? '-'
      : `${event.schedule}${event.timezone === undefined ? '' : ` (${event.timezone})`}`,
    `${event.images.length}`,
  ]);
  return section('Events', ['AT (UTC)', 'START BY', 'KIND', 'NAME', 'REPLICAS', 'SCHEDULE', 'IMAGES'], rows);
}

function nodesSection({ nodes }: Plan): string[] {
  const busiest = nodes.toSorted((a, b) => b.bytesMissing - a.bytesMissing || (a.name < b.name ? -1 : 1));
  const rows = busiest.map(({ name, zone, bytesMissing, images }) => [
    name,
    zone || '-',
    formatBytes(bytesMissing),
    `${images.length}`,
  ]);
  return section('Nodes', ['NODE', 'ZONE', 'MISSING', 'IMAGES'], rows);
}

function wavesSection({ groups, atMs }: Plan): string[] {
  const rows = groups.map((group) => [
    group.dueMs === undefined ? '-' : whenOf(group.dueMs, atMs),
    `${group.images.length}`,
    waveSizes(group),
    group.waves[0]?.slice(0, 3).join(' ') ?? '-',
  ]);
  return section('Waves', ['NEEDED', 'IMAGES', 'NODES IN EACH WAVE', 'FIRST'], rows);
}

function waveSizes({ waves }: SeedGroup): string {
  return waves.map((wave) => wave.length).join(' + ');
}

function unresolvedSection({ unresolved }: Plan): string[] {
  const rows = unresolved.map(({ file, line, value, reason }) => [
    file === '' ? '-' : `${file}:${line}`,
    value,
    reason,
  ]);
  return section('Unresolved', ['WHERE', 'WHAT', 'WHY'], rows);
}

function totalsLine({ totals }: Plan): string {
  const { images, uniqueBytes, bytesToMove, upstreamBytes } = totals;
  const bytes = `${formatBytes(uniqueBytes)} in all, ${formatBytes(bytesToMove)} to move, ${formatBytes(upstreamBytes)} of it from registries`;
  return `${images} ${images === 1 ? 'image' : 'images'}: ${bytes}`;
}

function section(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const shown = alignColumns([header, ...rows.slice(0, ROWS_MAX)]);
  const rest = rows.length - ROWS_MAX;
  return [[title, ...shown, ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n')];
}

function usedBy(uses: readonly { kind: string; name: string | undefined; file: string; line: number }[]): string {
  const [first] = uses;
  if (first === undefined) return '-';
  const more = uses.length > 1 ? ` and ${uses.length - 1} more` : '';
  return `${first.kind} ${first.name ?? ''} ${first.file}:${first.line}${more}`.replace('  ', ' ');
}

function whenOf(ms: number, nowMs: number): string {
  return ms <= nowMs ? 'now' : minuteOf(ms);
}

function minuteOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}
