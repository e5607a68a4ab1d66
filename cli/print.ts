/** Results as people and scripts read them. */
import type { Host } from './host.ts';

/** One JSON document, readable by people too. */
export function printJson(host: Host, value: unknown): void {
  host.out.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Rows in columns as wide as their widest cell; numbers belong to the right. */
export function printTable(host: Host, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)));
    host.out.write(`${cells.join('  ').trimEnd()}\n`);
  }
}
