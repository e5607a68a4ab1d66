/**
 * Reading a configuration file: TOML in, one frozen value out, or one error that lists everything wrong with file,
 * line and key. The environment is passed in; nothing here touches the process or the disk.
 */
import { ConfigReader, type ConfigProblem, type Environment } from './config-reader.ts';
import { type Read, type Shape, readTable } from './config-schema.ts';
import { parseToml } from './config-toml.ts';
import { CodedError } from './errors.ts';

export interface ConfigSource {
  readonly text: string;
  /** How messages name it. */
  readonly file: string;
  /** What `${NAME}` in strings expands to. */
  readonly env: Environment;
}

/** Keys that cannot stand together as they are, and why. */
export interface Conflict {
  /** Dotted; the first that is in the file gives the line. */
  readonly keys: readonly string[];
  readonly message: string;
}

/** More than this in one message helps nobody. */
const PROBLEMS_SHOWN_MAX = 50;

/**
 * Reads `source` by `shape`, then asks `conflicts` for impossible mixes. A conflict between keys of which one was bad
 * already is not shown.
 * @throws CodedError INVALID_ARGUMENT, one line `file:line: key: message` for each problem
 */
export function readConfig<S extends Shape>(
  shape: S,
  source: ConfigSource,
  conflicts: (value: Read<S>) => readonly Conflict[] = () => [],
): Read<S> {
  const reader = new ConfigReader(source.env);
  const value = readTable(shape, parseToml(source.text, source.file), '', reader);
  const bad = new Set(reader.problems.map(({ key }) => key));
  for (const { keys, message } of conflicts(value)) {
    const key = keys.find((name) => reader.lineOf(name) !== undefined) ?? keys[0] ?? '';
    if (!keys.some((name) => bad.has(name))) reader.problem(key, message);
  }
  if (reader.problems.length > 0)
    throw new CodedError('INVALID_ARGUMENT', formatProblems(source.file, reader.problems));
  return value;
}

function formatProblems(file: string, problems: readonly ConfigProblem[]): string {
  const lines = problems
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ key, line, message }) => `${file}${line === undefined ? '' : `:${line}`}: ${key}: ${message}`);
  const hidden = lines.length - PROBLEMS_SHOWN_MAX;
  if (hidden > 0) lines.splice(PROBLEMS_SHOWN_MAX, hidden, `${file}: and ${hidden} more`);
  return lines.join('\n');
}
