/** The process as commands see it. `main.ts` makes it of the real one, tests of fakes. */
import type { Environment } from '../core/runtime/config-reader.ts';

/** Where text goes: a terminal, a pipe or a file. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export type HostSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

export interface Host {
  /** What was typed after the program's name. */
  readonly args: readonly string[];
  readonly env: Environment;
  readonly hostName: string;
  readonly pid: number;
  /** What is piped in; asked for only by who reads it. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Results. */
  readonly out: Output;
  /** Progress, logs, complaints. */
  readonly err: Output;
  /** Calls `listener` at each signal, in place of what it does by default, until the returned function is called. */
  onSignal(signal: HostSignal, listener: () => void): () => void;
}

/** True when `output` may be coloured (https://no-color.org). */
export function isColoured(host: Host, output: Output): boolean {
  return output.isTTY === true && !host.env.NO_COLOR && host.env.TERM !== 'dumb';
}
