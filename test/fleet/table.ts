/** Results for people. Pure. */
import type { RunResult } from './run-result.ts';

const COLUMNS = [
  'scenario',
  'seconds',
  'share median',
  'worst',
  'copies',
  'failed',
  'wrong',
  'CPU s',
  'RSS MiB worst',
  'sum',
  'idle',
  'goals',
];

/** A line a run, columns aligned, and under it what stragglers reached and why pulls failed. */
export function resultTable(runs: readonly RunResult[]): string {
  const rows = [COLUMNS, ...runs.map(cellsOf)];
  const widths = COLUMNS.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  return [...rows.map(line), ...runs.flatMap(notesOf), ''].join('\n');
}

/** One run in one line, for those who wait for the others. */
export function resultLine(run: RunResult): string {
  return COLUMNS.map((column, at) => `${column} ${cellsOf(run)[at] ?? ''}`).join(', ');
}

function cellsOf(run: RunResult): string[] {
  const { share, upstreamCopies, memoryMiB, goals } = run;
  return [
    run.scenario,
    run.seconds.toFixed(1),
    share === null ? '-' : share.median.toFixed(2),
    share === null ? '-' : share.worst.toFixed(2),
    Math.max(upstreamCopies.byLink, upstreamCopies.byNodes).toFixed(2),
    String(run.failures.length),
    String(run.wrongBlobs),
    run.cpuSeconds.nodes.toFixed(1),
    String(memoryMiB.worstNode),
    String(memoryMiB.allNodes),
    `${Math.round(run.idleShare * 100)} %`,
    goals.met ? 'met' : `missed: ${missed(goals)}`,
  ];
}

function missed(goals: RunResult['goals']): string {
  return Object.entries(goals)
    .filter(([name, isMet]) => isMet === false && name !== 'met')
    .map(([name]) => name)
    .join(', ');
}

function notesOf(run: RunResult): string[] {
  const { stragglers, scenario } = run;
  return [
    ...(run.machineBound ? [`${scenario}: too little was idle, so the machine was measured; halve --link`] : []),
    ...(run.membersKnown === null ? [`${scenario}: nodes have no mesh, each worked alone`] : []),
    ...(stragglers === null
      ? []
      : [`${scenario}: stragglers reached ${stragglers.median} of their own link, the worst ${stragglers.worst}`]),
    ...(run.excusedFailures > 0 ? [`${scenario}: ${run.excusedFailures} pulls failed for what no member had`] : []),
    ...run.failures.map(({ name, failure }) => `${scenario}: ${name} failed: ${failure}`),
  ];
}
