/**
 * What a configuration's fields share while they are read: the environment, and the problems found so far, so that one
 * run shows all of them.
 */
import { messageOf } from './errors.ts';
import type { TomlEntry } from './config-toml.ts';

/** One thing that is wrong, at a key. */
export interface ConfigProblem {
  /** Dotted, as it would be written: `upstream.registry[1].endpoint`. */
  readonly key: string;
  /** 1-based; undefined when the key is not in the file. */
  readonly line: number | undefined;
  readonly message: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** `$${` stands for a plain `${`. */
const VARIABLE = /\$?\$\{([^}]*)\}/g;

export class ConfigReader {
  readonly problems: ConfigProblem[] = [];
  readonly #env: Environment;
  readonly #lines = new Map<string, number>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Where a key stood in the file; undefined when it did not. */
  lineOf(key: string): number | undefined {
    return this.#lines.get(key);
  }

  seen(key: string, line: number): void {
    this.#lines.set(key, line);
  }

  problem(key: string, message: string, line = this.lineOf(key)): void {
    this.problems.push({ key, line, message });
  }

  wrongType(key: string, entry: TomlEntry, wanted: string): void {
    this.problem(key, `${describe(entry)} is not ${wanted}`, entry.line);
  }

  /** A string with `${ENV}` expanded; undefined, with the problem noted, when a variable is not set. */
  expand(key: string, text: string, line: number): string | undefined {
    const unset: string[] = [];
    const expanded = text.replaceAll(VARIABLE, (whole, name: string) => {
      if (whole.startsWith('$$')) return whole.slice(1);
      const value = this.#env[name];
      if (value === undefined) unset.push(name);
      return value ?? '';
    });
    for (const name of unset)
      this.problem(key, `"${text}" names the environment variable "${name}", which is not set`, line);
    return unset.length === 0 ? expanded : undefined;
  }

  /** What `parse` makes of a value; undefined, with the problem noted, when it throws. */
  attempt<T>(key: string, line: number | undefined, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      this.problem(key, messageOf(error), line);
      return undefined;
    }
  }
}

/** A value as it stands in the file, short enough for a message. */
export function describe(entry: TomlEntry): string {
  switch (entry.kind) {
    case 'string':
      return `"${entry.value.slice(0, 100)}"`;
    case 'integer':
    case 'float':
    case 'boolean':
      return String(entry.value);
    case 'date':
      return 'A date';
    case 'array':
      return 'An array';
    case 'table':
      return 'A table';
  }
}
