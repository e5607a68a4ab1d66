/** A run as people read it: a line for each image, then everything that is not warm, and the sum. Pure. */
import { formatBytes, formatDuration, formatRate } from '../../core/runtime/units.ts';
import { alignColumns } from '../plan/text-columns.ts';
import { type RunResult, type RunRow, runRows, totalsOf } from './run-result.ts';

/** Rows of one section; the rest is counted. JSON has all of them. */
const ROWS_MAX = 40;

export function runTable(result: RunResult): string {
  const sections = [imagesSection(result), troubleSection(result), unresolvedSection(result)].flat();
  return `${[...sections, totalsLine(result)].join('\n\n')}\n`;
}

interface ImageSum {
  rows: number;
  warm: number;
  bytesFetched: number;
  pinnedUntil: string;
}

function imagesSection(result: RunResult): string[] {
  const sums = new Map<string, ImageSum>();
  for (const { image, outcome } of runRows(result)) {
    const sum = sums.get(image.reference) ?? { rows: 0, warm: 0, bytesFetched: 0, pinnedUntil: '' };
    sums.set(image.reference, sum);
    sum.rows += 1;
    sum.warm += outcome.isVerified ? 1 : 0;
    sum.bytesFetched += outcome.bytesFetched;
    if (outcome.pinnedUntil !== undefined && outcome.pinnedUntil > sum.pinnedUntil)
      sum.pinnedUntil = outcome.pinnedUntil;
  }
  const rows = [...sums].map(([reference, sum]) => [
    reference,
    `${sum.warm} of ${sum.rows}`,
    formatBytes(sum.bytesFetched),
    sum.pinnedUntil === '' ? '-' : sum.pinnedUntil.slice(0, 16).replace('T', ' '),
  ]);
  return section('Images', ['IMAGE', 'WARM ON', 'FETCHED', 'PINNED UNTIL (UTC)'], rows);
}

function troubleSection(result: RunResult): string[] {
  const rows: string[][] = [];
  for (const row of runRows(result)) if (!row.outcome.isVerified) rows.push(troubleRow(row));
  return section('Not warm', ['NODE', 'IMAGE', 'WHERE', 'WHY'], rows);
}

function troubleRow({ node, image, outcome }: RunRow): string[] {
  const [use] = image.usedBy;
  const where = use === undefined ? '-' : `${use.file}:${use.line}`;
  const digest = outcome.failedDigest === undefined ? '' : ` (${outcome.failedDigest})`;
  const code = outcome.code === undefined || outcome.code === '' ? '' : `${outcome.code}: `;
  return [node ?? '-', image.reference, where, `${code}${outcome.reason ?? 'not every blob was proven'}${digest}`];
}

function unresolvedSection({ plan }: RunResult): string[] {
  const rows = plan.unresolved.map(({ file, line, value, reason }) => [
    file === '' ? '-' : `${file}:${line}`,
    value,
    reason,
  ]);
  return section('Unresolved', ['WHERE', 'WHAT', 'WHY'], rows);
}

function totalsLine(result: RunResult): string {
  const { rows, present, fetched, skipped, failed, bytesFetched } = totalsOf(result);
  const seconds = result.elapsedMs / 1000;
  const rate = bytesFetched === 0 || seconds <= 0 ? '' : `, ${formatRate(bytesFetched / seconds)}`;
  const moved = `${formatBytes(bytesFetched)} fetched in ${formatDuration(Math.round(seconds * 10) * 100)}${rate}`;
  return `${rows} ${rows === 1 ? 'pair' : 'pairs'} of image and node: ${present} present, ${fetched} fetched, ${skipped} skipped, ${failed} failed; ${moved}`;
}

function section(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const shown = alignColumns([header, ...rows.slice(0, ROWS_MAX)]);
  const rest = rows.length - ROWS_MAX;
  return [[title, ...shown, ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n')];
}
