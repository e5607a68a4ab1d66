/** Looking into plain values that may have any shape. Pure. */

export type PlainRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is PlainRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a key of a map; undefined when it is no map or has no such key of its own. */
export function field(value: unknown, ...keys: readonly string[]): unknown {
  let at = value;
  for (const key of keys) at = isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

/** A text that is not empty; undefined for anything else. */
export function textField(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = field(value, ...keys);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** The items of a list; none when it is no list. */
export function listField(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  const found = field(value, ...keys);
  return Array.isArray(found) ? found : [];
}

/** The entries of a map whose values are texts. */
export function textsField(value: unknown, ...keys: readonly string[]): Record<string, string> {
  const found = field(value, ...keys);
  const entries = isRecord(found) ? Object.entries(found) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
