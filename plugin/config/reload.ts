/** What a changed configuration can do to a running node. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Shape } from '../../core/runtime/config-schema.ts';
import type { NodeConfig } from '../config.ts';
import { nodeShape } from './node-shape.ts';

/** Sections and keys that a running node takes over; everything else waits for a restart. */
export const RELOADABLE_KEYS: readonly string[] = [
  'log.level',
  'mirror.authorize',
  'mirror.stale_tags',
  'upstream.allow',
  'upstream.concurrency',
  'upstream.bandwidth',
  'upstream.registry',
];

export interface Reload {
  /** What is in force from now on: the running configuration with every reloadable change. */
  readonly config: NodeConfig;
  /** Keys (`section.key`, as the file spells them) that changed and are taken over. */
  readonly applied: readonly string[];
  /** Keys that changed and need a restart. */
  readonly refused: readonly string[];
}

/** Compares the running configuration with one read again. */
export function reloadable(before: NodeConfig, after: NodeConfig): Reload {
  const changed = changedKeys(before, after);
  return {
    config: Object.freeze({
      ...before,
      log: Object.freeze({ ...before.log, level: after.log.level }),
      mirror: Object.freeze({ ...before.mirror, ...reloadedMirror(after) }),
      upstream: Object.freeze({ ...before.upstream, ...reloadedUpstream(after) }),
    }),
    applied: changed.filter(isReloadable),
    refused: changed.filter((key) => !isReloadable(key)),
  };
}

function reloadedMirror({ mirror }: NodeConfig) {
  const { authorize, staleTags } = mirror;
  return { authorize, staleTags };
}

function reloadedUpstream({ upstream }: NodeConfig) {
  const { allow, concurrency, bandwidthBytesPerSecond, registries } = upstream;
  return { allow, concurrency, bandwidthBytesPerSecond, registries };
}

function isReloadable(key: string): boolean {
  return RELOADABLE_KEYS.some((allowed) => key === allowed || key.startsWith(`${allowed}.`));
}

function changedKeys(before: NodeConfig, after: NodeConfig): string[] {
  const old = new Map(fieldsOf(before));
  return fieldsOf(after).flatMap(([key, value]) => (isDeepStrictEqual(value, old.get(key)) ? [] : [key]));
}

/** Every setting under the name that the file gives it. */
function fieldsOf(config: NodeConfig): [string, unknown][] {
  const sections: Shape = nodeShape(config.node.name);
  return Object.entries(config).flatMap(([name, values]) => {
    const section = sections[name];
    return Object.entries(values).map(([field, value]): [string, unknown] => [
      `${section?.key ?? name}.${section?.shape?.[field]?.key ?? field}`,
      value,
    ]);
  });
}
