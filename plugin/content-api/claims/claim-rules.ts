/** The claim rules, pure: what `Info` says of a blob that is not whole on this disk, and what becomes of a claim in trouble. */
import { isForeignLayer } from '../../../core/oci/media-types.ts';
import { codeOf, type ErrorCode } from '../../../core/runtime/errors.ts';
import type { Route } from '../../content/blob-source.ts';
import type { KnownBlob } from '../../content/known-blobs.ts';

/** `off`: a plain store; `local`: only what is on this disk; `fleet`: also what can be brought here. */
export type ClaimMode = 'off' | 'local' | 'fleet';

/** Everything that the answer depends on, from memory. */
export interface ClaimFacts {
  readonly mode: ClaimMode;
  /** A claim that could not be given back must not be made. */
  readonly isContainerdReachable: boolean;
  /** It was claimed, given back, and has not been whole here since. */
  readonly wasGivenBack: boolean;
  /** Another blob of its image was given back lately: the next pull must not fail at the next bad claim. */
  readonly hasBadSibling: boolean;
  /** What a proven manifest said of it. */
  readonly known: KnownBlob | undefined;
  /** A manifest that may name it is being read, or where that came from is being looked up. */
  readonly isBeingLearned: boolean;
  /** Asked last, and only when it matters. */
  route(): Route;
}

export type ClaimReason =
  | 'claims are off'
  | 'not on this disk'
  | 'containerd is not reachable'
  | 'given back before'
  | 'another blob of its image was given back'
  | 'no manifest names it'
  | 'manifests are claimed only from this disk'
  | 'foreign layer'
  | 'empty'
  | 'no route'
  | 'still being learned'
  | 'sources are still being asked'
  | 'route';

export interface Decision {
  /** `wait`: it may become a yes soon; at the end of the bound it is a no. */
  readonly answer: 'yes' | 'no' | 'wait';
  readonly reason: ClaimReason;
}

/** What to tell containerd now. */
export function decideClaim(facts: ClaimFacts): Decision {
  return refusalByRule(facts) ?? refusalByBlob(facts) ?? byRoute(facts);
}

function refusalByRule(facts: ClaimFacts): Decision | undefined {
  if (facts.mode === 'off') return no('claims are off');
  if (facts.mode === 'local') return no('not on this disk');
  if (!facts.isContainerdReachable) return no('containerd is not reachable');
  if (facts.wasGivenBack) return no('given back before');
  return facts.hasBadSibling ? no('another blob of its image was given back') : undefined;
}

function refusalByBlob({ known, isBeingLearned }: ClaimFacts): Decision | undefined {
  if (known === undefined) return isBeingLearned ? wait('still being learned') : no('no manifest names it');
  if (known.role === 'manifest' || known.role === 'index') return no('manifests are claimed only from this disk');
  if (isForeignLayer(known.mediaType)) return no('foreign layer');
  // For a descriptor of size 0 containerd would record any size that it is told.
  return known.size > 0 ? undefined : no('empty');
}

function byRoute(facts: ClaimFacts): Decision {
  const route = facts.route();
  if (route === 'yes') return { answer: 'yes', reason: 'route' };
  if (route === 'asking') return wait('sources are still being asked');
  return facts.isBeingLearned ? wait('still being learned') : no('no route');
}

function no(reason: ClaimReason): Decision {
  return { answer: 'no', reason };
}

function wait(reason: ClaimReason): Decision {
  return { answer: 'wait', reason };
}

/** Kinds of failure that trying again does not mend. */
const FINAL_CODES: ReadonlySet<ErrorCode> = new Set([
  'NOT_FOUND',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'DATA_LOSS',
  'INVALID_ARGUMENT',
  'OUT_OF_RANGE',
]);

export interface FailedFlight {
  readonly error: unknown;
  readonly route: Route;
  /** Since the last new byte, or since the claim when none came; milliseconds. */
  readonly idleMs: number;
  readonly giveUpMs: number;
}

/** The flight measured the same patience by another clock. */
const PATIENCE_SHARE = 0.9;

/** Whether a claim whose flight failed is worth another flight. */
export function afterFailure(failed: FailedFlight): 'again' | 'give-back' {
  const hasGivenUp = failed.idleMs >= failed.giveUpMs * PATIENCE_SHARE;
  const isHopeless = isFinal(failed.error) || failed.route === 'no' || hasGivenUp;
  return isHopeless ? 'give-back' : 'again';
}

/** Several sources that failed: final only when each of them was. */
function isFinal(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isFinal);
  return FINAL_CODES.has(codeOf(error));
}
