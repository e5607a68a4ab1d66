/** Results as people and scripts read them. */
import type { Host } from './host.ts';

/** One JSON document, readable by people too. */
export function printJson(host: Host, value: unknown): void {
  host.out.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Columns as wide as their widest cell, two spaces between. */
export function printTable(host: Host, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  for (const row of [head, ...rows]) {
    host.out.write(
      `${row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}
