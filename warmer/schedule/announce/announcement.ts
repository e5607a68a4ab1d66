/** What a row of the table of announcers says of one object. */
import { type ErrorCode, CodedError, messageOf } from '../../../core/runtime/errors.ts';
import type { ValuePath } from '../../sources/documents.ts';
import type { Workload } from '../../sources/workload.ts';
import type { ManifestObject } from '../world/manifest-object.ts';
import type { World } from '../world/world.ts';

/** Scale-outs that come. */
export interface Announcement {
  readonly times: readonly number[];
  readonly path: ValuePath;
  readonly targets: readonly Workload[];
  /** References that no workload names yet. */
  readonly newImages?: readonly string[];
  readonly replicas?: number | undefined;
  readonly schedule?: string;
  readonly timezone?: string;
}

/** An announcement that cannot be understood or will never come. */
export interface Refusal {
  readonly path: ValuePath;
  readonly value: string;
  readonly reason: string;
}

export type Finding = Announcement | Refusal;

export type Announcer = (object: ManifestObject, world: World) => readonly Finding[];

export interface AnnouncerRow {
  /** API groups; "*" for an announcement by annotation, on an object of any group. */
  readonly groups: readonly string[];
  readonly kinds: readonly string[];
  readonly announce: Announcer;
}

export function isRefusal(finding: Finding): finding is Refusal {
  return 'reason' in finding;
}

/** What `announce` finds; what it throws as a CodedError becomes a refusal that points to `path`. */
export function attempt(
  place: { path: ValuePath; value: unknown },
  announce: () => readonly Finding[],
): readonly Finding[] {
  try {
    return announce();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [{ path: place.path, value: shown(place.value), reason: messageOf(error) }];
  }
}

/** The error for an announcement that its controller refuses. */
export function refused(message: string, code: ErrorCode = 'INVALID_ARGUMENT'): CodedError {
  return new CodedError(code, message);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value) ?? '';
}
