/**
 * A small declarative schema: each field names its key, its default and how its text becomes a value. A default is
 * written as the file would have it, and goes through the same parser.
 */
import type { ConfigReader } from './config-reader.ts';
import type { TomlEntry, TomlTable } from './config-toml.ts';

/** One key of a table. `read` notes problems in the reader and then answers the default, so that reading goes on. */
export interface Field<T> {
  readonly key: string;
  /** The fields of a table. */
  readonly shape?: Shape;
  /** For who writes about it. */
  readonly told?: ToldField;
  read(entry: TomlEntry | undefined, path: string, reader: ConfigReader): T;
}

/** A field as documentation shows it. */
export interface ToldField {
  readonly kind: 'text' | 'words' | 'flag' | 'integer' | 'share' | 'list' | 'tables';
  /** As the file would have it; undefined = it must be there. */
  readonly fallback: string | undefined;
  /** Of `words`. */
  readonly words?: readonly string[];
  /** The fields of each of `tables`. */
  readonly rows?: Shape;
}

export type Shape = Readonly<Record<string, Field<unknown>>>;

/** The value that a shape reads. */
export type Read<S extends Shape> = { readonly [Name in keyof S]: S[Name] extends Field<infer T> ? T : never };

/** A string, through `parse`. Without a fallback the key is required. `parse` throws with the reason. */
export function parsed<T>(key: string, fallback: string, parse: (text: string) => T): Field<T> {
  return {
    key,
    told: { kind: 'text', fallback: JSON.stringify(fallback) },
    read(entry, path, reader) {
      const text = entry === undefined ? undefined : readText(entry, path, reader);
      const value = text === undefined ? undefined : reader.attempt(path, entry?.line, () => parse(text));
      return value === undefined ? parse(fallback) : value;
    },
  };
}

/** As `parsed`, but "" means none. */
export function optional<T>(key: string, fallback: string, parse: (text: string) => T): Field<T | undefined> {
  const field = parsed<{ value: T | undefined }>(key, fallback, (text) => ({
    value: text === '' ? undefined : parse(text),
  }));
  return {
    key,
    ...(field.told && { told: field.told }),
    read: (entry, path, reader) => field.read(entry, path, reader).value,
  };
}

/** A string that must be there; `placeholder` is only what reading goes on with when it is not. */
export function required<T>(key: string, placeholder: string, parse: (text: string) => T): Field<T> {
  const field = parsed(key, placeholder, parse);
  return {
    key,
    told: { kind: 'text', fallback: undefined },
    read(entry, path, reader) {
      if (entry === undefined)
        reader.problem(path, 'The key is missing, and it has no default', reader.lineOf(parentOf(path)));
      return field.read(entry, path, reader);
    },
  };
}

/** A string as it is. */
export function text(key: string, fallback: string): Field<string> {
  return parsed(key, fallback, (value) => value);
}

/** One of a few words. */
export function choice<const T extends string>(key: string, words: readonly T[], fallback: NoInfer<T>): Field<T> {
  const told = { kind: 'words', fallback: JSON.stringify(fallback), words } as const;
  return { ...parsed(key, fallback, oneOf(words)), told };
}

/** A parser for one of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): (text: string) => T {
  return (value) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new Error(`"${value.slice(0, 100)}" is not one of ${words.join(', ')}`);
    return found;
  };
}

export function flag(key: string, fallback: boolean): Field<boolean> {
  return {
    key,
    told: { kind: 'flag', fallback: String(fallback) },
    read(entry, path, reader) {
      if (entry === undefined || entry.kind === 'boolean') return entry?.value ?? fallback;
      reader.wrongType(path, entry, 'true or false');
      return fallback;
    },
  };
}

/** A whole number within bounds, both included. */
export function integer(key: string, fallback: number, bounds: { min: number; max: number }): Field<number> {
  return {
    key,
    told: { kind: 'integer', fallback: String(fallback) },
    read(entry, path, reader) {
      if (entry === undefined) return fallback;
      if (entry.kind === 'integer' && entry.value >= bounds.min && entry.value <= bounds.max) return entry.value;
      reader.wrongType(path, entry, `a whole number from ${bounds.min} to ${bounds.max}`);
      return fallback;
    },
  };
}

/** A number above 0 and up to 1. */
export function share(key: string, fallback: number): Field<number> {
  return {
    key,
    told: { kind: 'share', fallback: String(fallback) },
    read(entry, path, reader) {
      if (entry === undefined) return fallback;
      const isNumber = entry.kind === 'integer' || entry.kind === 'float';
      if (isNumber && entry.value > 0 && entry.value <= 1) return entry.value;
      reader.wrongType(path, entry, 'a number above 0 and up to 1');
      return fallback;
    },
  };
}

/** An array of strings, each through `parse`; empty by default. Bad items are noted and left out. */
export function list<T>(key: string, parse: (text: string) => T, bounds: { max: number }): Field<readonly T[]> {
  return {
    key,
    told: { kind: 'list', fallback: '[]' },
    read(entry, path, reader) {
      if (entry === undefined) return Object.freeze([]);
      if (entry.kind !== 'array') reader.wrongType(path, entry, 'an array of strings');
      const items = entry.kind === 'array' ? entry.items : [];
      if (items.length > bounds.max) reader.problem(path, `${items.length} entries, at most ${bounds.max} are read`);
      return Object.freeze(
        items.slice(0, bounds.max).flatMap((item, index) => readItem(item, `${path}[${index}]`, reader, parse)),
      );
    },
  };
}

/** A table with fields of its own; an absent one has every default. */
export function section<S extends Shape>(key: string, shape: S): Field<Read<S>> {
  return { key, shape, read: (entry, path, reader) => readTable(shape, tableOf(entry, path, reader), path, reader) };
}

/** An array of tables. */
export function sections<S extends Shape>(key: string, shape: S, bounds: { max: number }): Field<readonly Read<S>[]> {
  return {
    key,
    told: { kind: 'tables', fallback: '[]', rows: shape },
    read(entry, path, reader) {
      if (entry === undefined) return Object.freeze([]);
      if (entry.kind !== 'array') reader.wrongType(path, entry, `an array of tables, [[${path}]]`);
      const items = entry.kind === 'array' ? entry.items : [];
      if (items.length > bounds.max) reader.problem(path, `${items.length} tables, at most ${bounds.max} are read`);
      return Object.freeze(
        items.slice(0, bounds.max).map((item, index) => {
          const at = `${path}[${index}]`;
          reader.seen(at, item.line);
          return readTable(shape, tableOf(item, at, reader), at, reader);
        }),
      );
    },
  };
}

/** Every field of `shape` out of `table`; keys that no field has are problems. */
export function readTable<S extends Shape>(
  shape: S,
  table: TomlTable | undefined,
  path: string,
  reader: ConfigReader,
): Read<S> {
  const fields = Object.entries(shape);
  const known = new Set(fields.map(([, field]) => field.key));
  for (const [key, entry] of table?.entries ?? []) {
    const at = join(path, key);
    if (known.has(key)) reader.seen(at, entry.line);
    else reader.problem(at, `Unknown key; known here are ${[...known].join(', ')}`, entry.line);
  }
  const values = fields.map(([name, field]) => [
    name,
    field.read(table?.entries.get(field.key), join(path, field.key), reader),
  ]);
  return Object.freeze(Object.fromEntries(values)) as Read<S>;
}

function readText(entry: TomlEntry, path: string, reader: ConfigReader): string | undefined {
  if (entry.kind === 'string') return reader.expand(path, entry.value, entry.line);
  reader.wrongType(path, entry, 'a string');
  return undefined;
}

function readItem<T>(item: TomlEntry, path: string, reader: ConfigReader, parse: (text: string) => T): T[] {
  const value = readText(item, path, reader);
  if (value === undefined) return [];
  const result = reader.attempt(path, item.line, () => ({ value: parse(value) }));
  return result === undefined ? [] : [result.value];
}

function tableOf(entry: TomlEntry | undefined, path: string, reader: ConfigReader): TomlTable | undefined {
  if (entry === undefined || entry.kind === 'table') return entry;
  reader.wrongType(path, entry, `a table, [${path}]`);
  return undefined;
}

function join(path: string, key: string): string {
  const shown = /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
  return path === '' ? shown : `${path}.${shown}`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}
