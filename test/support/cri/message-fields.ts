/** Reading fields of decoded messages, whose types are known to the proto only. Each throws when the type is another. */

/** Any value's property; undefined when it has none. */
export function field(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null ? Reflect.get(message, name) : undefined;
}

export function stringField(message: object, name: string): string {
  const value = field(message, name);
  return typeof value === 'string' ? value : refuse(name, 'a string');
}

export function stringsField(message: object, name: string): string[] {
  const value = field(message, name);
  const isStrings = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return isStrings ? value : refuse(name, 'a list of strings');
}

/** A 64-bit number; exact up to 2^53. */
export function longField(message: object, name: string): number {
  const value = field(message, name);
  return typeof value === 'number' ? value : refuse(name, 'a number');
}

/** A message; undefined when it is not set. */
export function optionalField(message: object, name: string): object | undefined {
  const value = field(message, name);
  if (value === null || value === undefined) return undefined;
  return typeof value === 'object' ? value : refuse(name, 'a message');
}

export function listField(message: object, name: string): object[] {
  const value = field(message, name);
  const isMessages = Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null);
  return isMessages ? value : refuse(name, 'a list of messages');
}

function refuse(name: string, wanted: string): never {
  throw new Error(`Field "${name}" of a CRI answer is not ${wanted}`);
}
