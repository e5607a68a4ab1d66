/** What a changed configuration can do to a running node. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { NodeConfig } from './config.ts';

/** Sections and keys that a running node takes over; everything else waits for a restart. */
export const RELOADABLE_KEYS: readonly string[] = ['log.level', 'upstream'];

export interface Reload {
  /** What is in force from now on: the running configuration with every reloadable change. */
  readonly config: NodeConfig;
  /** `section.field` that changed and is taken over. */
  readonly applied: readonly string[];
  /** `section.field` that changed and needs a restart. */
  readonly refused: readonly string[];
}

/** Compares the running configuration with one read again. */
export function reloadable(before: NodeConfig, after: NodeConfig): Reload {
  const changed = changedFields(before, after);
  const applied = changed.filter(isReloadable);
  return {
    config: Object.freeze({
      ...before,
      log: Object.freeze({ ...before.log, level: after.log.level }),
      upstream: after.upstream,
    }),
    applied,
    refused: changed.filter((field) => !applied.includes(field)),
  };
}

function isReloadable(field: string): boolean {
  return RELOADABLE_KEYS.some((key) => field === key || field.startsWith(`${key}.`));
}

function changedFields(before: NodeConfig, after: NodeConfig): string[] {
  return Object.entries(after).flatMap(([name, section]) => {
    const old: Record<string, unknown> = Object.fromEntries(
      Object.entries(before).flatMap(([key, value]) => (key === name ? Object.entries(value) : [])),
    );
    return Object.entries(section).flatMap(([field, value]) =>
      isDeepStrictEqual(value, old[field]) ? [] : [`${name}.${field}`],
    );
  });
}
