/** Making planned changes, or showing them: what every installation of the mirror ends with. */
import { systemClock } from '../../core/runtime/clock.ts';
import type { Host } from '../host.ts';
import { printJson } from '../print.ts';
import { type Applied, type FileChange, applyChange } from './file-changes.ts';
import { unifiedDiff } from './unified-diff.ts';

export interface Work {
  readonly way: 'install' | 'uninstall';
  readonly changes: readonly FileChange[];
  readonly warnings: readonly string[];
  /** What is to be done by hand once something has changed. */
  readonly next: readonly string[];
}

export interface CarryOutOptions {
  readonly dryRun?: true;
  readonly json?: true;
}

/** @throws CodedError naming the file that cannot be written */
export async function carryOut(
  { way, changes, warnings, next }: Work,
  options: CarryOutOptions,
  host: Host,
): Promise<void> {
  for (const warning of warnings) host.err.write(`shoal: warning: ${warning}\n`);
  if (options.dryRun) {
    const diffs = changes.map(({ file, before, after }) => ({ file, diff: unifiedDiff(file, before, after) }));
    if (options.json) return printJson(host, { state: 'dry run', files: diffs, warnings });
    for (const { diff } of diffs) host.out.write(diff);
    host.err.write(diffs.length === 0 ? 'Nothing would change\n' : 'This was a dry run: nothing was changed\n');
    return;
  }
  const applied: Applied[] = [];
  for (const change of changes) applied.push(await applyChange(change, systemClock.now()));
  const state = applied.length > 0 ? `${way}ed` : way === 'install' ? 'already installed' : 'not installed';
  const todo = applied.length > 0 ? next : [];
  if (options.json) return printJson(host, { state, files: applied, warnings, next: todo });
  host.out.write(`${state}\n`);
  printApplied(applied, host);
  if (todo.length > 0) host.out.write(`Now:\n${todo.map((line) => `  ${line}\n`).join('')}`);
}

export function printApplied(applied: readonly Applied[], host: Host): void {
  for (const { file, backup } of applied) {
    host.out.write(`changed ${file}${backup === undefined ? '' : ` (before: ${backup})`}\n`);
  }
}
