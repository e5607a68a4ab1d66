/** Results as people and scripts read them. */
import type { Host } from './host.ts';

/** One JSON document, readable by people too. */
export function printJson(host: Host, value: unknown): void {
  host.out.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
