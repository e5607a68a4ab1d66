/**
 * Structured logs. Text is static and data goes in fields, so that logs can be counted.
 * error = our bug or data at risk · warn = someone should look · info = state changed · debug = per request.
 */
import pino from 'pino';
import pretty from 'pino-pretty';

export type LogFields = Readonly<Record<string, unknown>>;

/** What every module gets; the composition root makes children with the module's name. */
export interface Logger {
  error(fields: LogFields, text: string): void;
  warn(fields: LogFields, text: string): void;
  info(fields: LogFields, text: string): void;
  debug(fields: LogFields, text: string): void;
  child(fields: LogFields): Logger;
}

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  level: LogLevel;
  format: 'json' | 'pretty';
  /** Where lines go; the process's stderr in production. */
  out: NodeJS.WritableStream;
  colour?: boolean;
}

/** Fields that could carry a secret, whatever module logs them. */
const SECRET_PATHS = ['authorization', 'password', 'token', 'headers.authorization', '*.authorization', '*.password'];

/** Digits after the point: a measured time has more of them than anybody can mean. */
const DECIMALS = 3;

function rounded(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(DECIMALS)) : value,
    ]),
  );
}

/** A pino logger; errors under `err` are written with message, code, stack and cause. */
export function createLogger(options: LogOptions): Logger {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: rounded },
    redact: { paths: SECRET_PATHS, censor: '[secret]' },
  };
  if (options.format === 'json') return pino(settings, options.out);
  const stream = pretty({ destination: options.out, colorize: options.colour ?? false, sync: true });
  return pino(settings, stream);
}

/** A logger that says nothing, for tests and for tools that print their own results. */
export const silentLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silentLogger,
};
