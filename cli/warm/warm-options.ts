/** What the commands of `shoal warm` have in common. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { systemClock } from '../../core/runtime/clock.ts';
import { CodedError, errnoOf, messageOf } from '../../core/runtime/errors.ts';
import { type AdjustableLog, adjustableLog } from '../../core/runtime/log-level.ts';
import { createLogger, type LogLevel } from '../../core/runtime/log.ts';
import type { WarmerConfig } from '../../warmer/config.ts';
import type { Warmer } from '../../warmer/warmer.ts';
import { type Host, isColoured } from '../host.ts';

const CONFIG_FILE = '/etc/shoal/warmer.toml';

export interface WarmOptions {
  readonly config: string;
}

export function withConfig(command: Command): Command {
  return command.option('--config <file>', "the warmer's configuration (TOML)", CONFIG_FILE);
}

export function withNow(command: Command): Command {
  return command.option('--now <time>', 'take this for the time, as 2026-11-21T07:30:00Z');
}

/** Milliseconds since the epoch. @throws CodedError INVALID_ARGUMENT for a time that is none */
export function nowOf({ now }: { now?: string }): number {
  if (now === undefined) return systemClock.now();
  const ms = /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/.test(now) ? Date.parse(now) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new CodedError('INVALID_ARGUMENT', `--now: "${now.slice(0, 100)}" is not a time such as 2026-11-21T07:30:00Z`);
}

/** @throws CodedError INVALID_ARGUMENT naming the file, and line and key of everything wrong in it */
export async function readWarmerConfig({ config: file }: WarmOptions, host: Host): Promise<WarmerConfig> {
  const { parseWarmerConfig } = await import('../../warmer/config.ts');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const hint = errnoOf(error) === 'ENOENT' ? '; --config names another' : '';
    const reason = `Reading the configuration "${file}" failed: ${messageOf(error)}${hint}`;
    throw new CodedError('INVALID_ARGUMENT', reason, { cause: error });
  });
  return parseWarmerConfig({ text, file, env: host.env });
}

export interface OpenedWarmer {
  readonly config: WarmerConfig;
  readonly warmer: Warmer;
  readonly logging: AdjustableLog;
}

export interface OpenOptions extends WarmOptions {
  readonly extraImages?: readonly string[];
  /** Watch clusters rather than list them: for the daemon. */
  readonly isWatching?: boolean;
  /** Quieter than the configuration says: for commands that print their own results. */
  readonly logLevel?: LogLevel;
}

export async function openWarmer(options: OpenOptions, host: Host): Promise<OpenedWarmer> {
  // Loaded here only: no other command waits for the warmer's modules.
  const { createWarmer } = await import('../../warmer/pipeline.ts');
  const { keepHeapSmall } = await import('../../warmer/small-heap.ts');
  keepHeapSmall();
  const config = await readWarmerConfig(options, host);
  const logging = createLogging(config, host, options.logLevel);
  const warmer = await createWarmer(config, {
    env: host.env,
    clock: systemClock,
    log: logging.log.child({ module: 'warmer' }),
    stdin: host.input ?? emptyInput(),
    hostName: host.hostName,
    configFile: options.config,
    random: Math.random,
    isWatching: options.isWatching ?? false,
    ...(options.extraImages !== undefined && { extraImages: options.extraImages }),
  });
  return { config, warmer, logging };
}

/** Much longer than anything; it only has to be there. */
const ALIVE_MS = 2 ** 30;

/** Aborts at SIGINT and SIGTERM. Until `remove` the process lives, though a command may only wait: a clock's timers do not keep it. */
export function untilSignal(host: Host): { readonly signal: AbortSignal; remove(): void } {
  const stop = new AbortController();
  const alive = setInterval(() => undefined, ALIVE_MS);
  const removes = (['SIGINT', 'SIGTERM'] as const).map((name) =>
    host.onSignal(name, () => stop.abort(new CodedError('CANCELLED', `Interrupted by ${name}`))),
  );
  const remove = () => {
    clearInterval(alive);
    for (const one of removes) one();
  };
  return { signal: stop.signal, remove };
}

function createLogging({ log }: WarmerConfig, host: Host, level: LogLevel = log.level): AdjustableLog {
  const isPretty = log.format === 'pretty' || (log.format === 'auto' && host.err.isTTY === true);
  const format = isPretty ? 'pretty' : 'json';
  const base = createLogger({ level: 'debug', format, out: host.err, colour: isColoured(host, host.err) });
  return adjustableLog(base, level);
}

async function* emptyInput(): AsyncGenerator<Uint8Array> {}
