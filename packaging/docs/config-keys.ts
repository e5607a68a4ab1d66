/** Every key of a configuration file, out of the shape that reads it. */
import type { Field, Shape } from '../../core/runtime/config-schema.ts';

export interface ConfigKey {
  /** As it is written: `mesh.bind`, `upstream.registry[].host`. */
  readonly path: string;
  readonly fallback: string;
  /** What may be written, where that is a few words. */
  readonly words: readonly string[];
}

/** In the order of the shape. */
export function configKeys(shape: Shape, prefix = ''): ConfigKey[] {
  return Object.values(shape).flatMap((field) => keysOf(field, prefix));
}

function keysOf(field: Field<unknown>, prefix: string): ConfigKey[] {
  const path = `${prefix}${field.key}`;
  if (field.shape !== undefined) return configKeys(field.shape, `${path}.`);
  const { told } = field;
  if (told?.rows !== undefined) return configKeys(told.rows, `${path}[].`);
  return [{ path, fallback: told === undefined ? '[]' : (told.fallback ?? 'required'), words: told?.words ?? [] }];
}
