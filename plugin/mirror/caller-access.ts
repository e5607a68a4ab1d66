/**
 * Whether a caller may have something of a repository: its registry says so to the caller's own credential. What it said is
 * believed for minutes, for that repository and credential; that a digest is of a repository, for longer. Both are needed:
 * whoever may read one repository must not get another's blob by its digest.
 */
import type { Digest } from '../../core/oci/digest.ts';
import { type Source, sourceKey } from '../../core/oci/source.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { isCode } from '../../core/runtime/errors.ts';
import type { CallerCredential } from '../content/origin.ts';
import { fingerprintOf } from './caller-credential.ts';
import type { MirrorEvents } from './events.ts';

/** Five minutes at most, of which the token that a check was made with may have used up one, milliseconds. */
export const GRANT_MS = 4 * 60_000;
/** How long a blob is believed to be in the repository where it was seen, milliseconds. */
export const MEMBER_MS = 60 * 60_000;
const GRANTS_MAX = 8_192;
const MEMBERS_MAX = 65_536;

export interface CallerAccessDeps {
  readonly clock: Clock;
  readonly events: Pick<MirrorEvents, 'authorized'>;
}

export interface AccessQuestion {
  readonly source: Source;
  readonly credential: CallerCredential;
  readonly digest: Digest;
}

export class CallerAccess {
  readonly #deps: CallerAccessDeps;
  /** Until when, in the order in which they were given. */
  readonly #grants = new Map<string, number>();
  readonly #members = new Map<string, number>();

  constructor(deps: CallerAccessDeps) {
    this.#deps = deps;
  }

  /** From memory alone. */
  isGranted({ source, credential, digest }: AccessQuestion): boolean {
    return (
      this.#isFresh(this.#grants, grantKey(source, credential)) &&
      this.#isFresh(this.#members, memberKey(source, digest))
    );
  }

  /**
   * Resolves when the caller may have it. `ask` asks the registry about this digest with the caller's credential.
   * @returns the registry's answer, when it was asked
   * @throws what `ask` throws; a refusal ends what was believed of this caller
   */
  async check<T>(question: AccessQuestion, ask: () => Promise<T>): Promise<T | undefined> {
    if (this.isGranted(question)) {
      this.#deps.events.authorized('remembered');
      return undefined;
    }
    let answer: T;
    try {
      answer = await ask();
    } catch (error) {
      this.#failed(question, error);
      throw error;
    }
    this.granted(question);
    return answer;
  }

  /** The registry has just answered this caller about this digest. */
  granted({ source, credential, digest }: AccessQuestion): void {
    const nowMs = this.#deps.clock.monotonicMs();
    put(this.#grants, grantKey(source, credential), { untilMs: nowMs + GRANT_MS, max: GRANTS_MAX });
    put(this.#members, memberKey(source, digest), { untilMs: nowMs + MEMBER_MS, max: MEMBERS_MAX });
    this.#deps.events.authorized('granted');
  }

  /** The registry has just failed to answer this caller, or refused it. */
  refused(question: Pick<AccessQuestion, 'source' | 'credential'>, error: unknown): void {
    this.#failed(question, error);
  }

  #failed({ source, credential }: Pick<AccessQuestion, 'source' | 'credential'>, error: unknown): void {
    const isRefusal = isCode(error, 'UNAUTHENTICATED', 'PERMISSION_DENIED');
    if (isRefusal) this.#grants.delete(grantKey(source, credential));
    if (isRefusal) this.#deps.events.authorized('refused');
    else if (!isCode(error, 'NOT_FOUND')) this.#deps.events.authorized('unanswered');
  }

  #isFresh(until: ReadonlyMap<string, number>, key: string): boolean {
    return (until.get(key) ?? Number.NEGATIVE_INFINITY) > this.#deps.clock.monotonicMs();
  }
}

/** The oldest goes first when there are too many. */
function put(map: Map<string, number>, key: string, { untilMs, max }: { untilMs: number; max: number }): void {
  map.delete(key);
  map.set(key, untilMs);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}

function grantKey(source: Source, credential: CallerCredential): string {
  return `${sourceKey(source)} ${fingerprintOf(credential)}`;
}

function memberKey(source: Source, digest: Digest): string {
  return `${sourceKey(source)}@${digest}`;
}
