/** What a source keeps of the objects that a cluster gives it. Pure, but for the objects themselves, which are its own. */
import type { PlainRecord } from '../extract/values.ts';
import type { Resource } from './api/resource.ts';
import { dropContainerDetails, isCurrent, trimmed, withoutNotes } from './live-object.ts';

export interface KeepOptions {
  /** Kinds that rules of the user look into: `Engine`, `Engine.example.com`. */
  readonly kinds: readonly string[];
  /** Rules of the user look into every kind. */
  readonly isWhole?: boolean;
}

/** undefined: nothing. The object is used up. */
export type Keep = (object: PlainRecord) => PlainRecord | undefined;

/** For the objects of one kind. */
export function keeperOf({ kind, group }: Resource, { kinds, isWhole = false }: KeepOptions): Keep {
  const isLookedInto = isWhole || kinds.includes(kind) || kinds.includes(`${kind}.${group}`);
  return (object) => {
    if (!isCurrent(object)) return undefined;
    if (isLookedInto) return trimmed(object);
    dropContainerDetails(object);
    return trimmed(kind === 'Pod' && group === '' ? withoutNotes(object) : object);
  };
}
