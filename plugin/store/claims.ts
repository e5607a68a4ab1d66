/** Claims on disk: one JSON file each, named by the digest; all of them in memory. */
import { readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { type Digest, digestOfHex } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';
import { CodedError, errnoOf, fromErrno } from '../../core/runtime/errors.ts';
import { CLAIM_SOURCES_MAX, type Claim } from './claim-store.ts';
import type { Layout } from './layout.ts';
import { replaceFileSync } from './small-file.ts';
import type { Trash } from './trash.ts';

/** Claims at once; a node's images together have some thousands of layers. */
export const CLAIMS_MAX = 100_000;

export class ClaimFiles {
  readonly #layout: Layout;
  readonly #trash: Trash;
  readonly #claims = new Map<Digest, Claim>();

  constructor(deps: { layout: Layout; trash: Trash }) {
    this.#layout = deps.layout;
    this.#trash = deps.trash;
  }

  /** Reads every claim; `onBroken` hears of files that are none. */
  load(onBroken: (path: string) => void): void {
    for (const name of readdirSync(this.#layout.claims)) {
      const path = `${this.#layout.claims}/${name}`;
      const digest = digestOfHex(name);
      const claim = digest === undefined ? undefined : parseClaim(digest, readFileSync(path, 'utf8'));
      if (claim !== undefined) this.#claims.set(claim.digest, claim);
      else onBroken(path);
    }
  }

  get count(): number {
    return this.#claims.size;
  }

  get(digest: Digest): Claim | undefined {
    return this.#claims.get(digest);
  }

  list(): Iterable<Claim> {
    return [...this.#claims.values()];
  }

  put(claim: Claim): void {
    checkClaim(claim, this.#claims);
    const { size, sources, claimedAtMs } = claim;
    try {
      const content = JSON.stringify({ size, sources, claimedAtMs });
      replaceFileSync(this.#layout.claim(claim.digest), this.#trash.freshPath(), content);
    } catch (error) {
      throw fromErrno(error, `Claim of "${claim.digest}" cannot be written`);
    }
    this.#claims.set(claim.digest, { digest: claim.digest, size, sources: [...sources], claimedAtMs });
  }

  remove(digest: Digest): void {
    if (!this.#claims.has(digest)) return;
    try {
      unlinkSync(this.#layout.claim(digest));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw fromErrno(error, `Claim of "${digest}" cannot be removed`);
    }
    this.#claims.delete(digest);
  }
}

/** The limits that every implementation keeps. @throws CodedError INVALID_ARGUMENT, RESOURCE_EXHAUSTED */
export function checkClaim(claim: Claim, others: ReadonlyMap<Digest, Claim>): void {
  if (claim.sources.length > CLAIM_SOURCES_MAX) {
    const count = claim.sources.length;
    throw new CodedError(
      'INVALID_ARGUMENT',
      `Claim of "${claim.digest}" names ${count} sources, at most ${CLAIM_SOURCES_MAX} fit`,
    );
  }
  if (!Number.isSafeInteger(claim.size) || claim.size < 0) {
    throw new CodedError(
      'INVALID_ARGUMENT',
      `Claim of "${claim.digest}" has the size ${claim.size}, which no blob has`,
    );
  }
  if (others.size >= CLAIMS_MAX && !others.has(claim.digest)) {
    throw new CodedError(
      'RESOURCE_EXHAUSTED',
      `Claim of "${claim.digest}" refused: there are ${CLAIMS_MAX} claims already`,
    );
  }
}

function parseClaim(digest: Digest, text: string): Claim | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!isRecord(parsed) || !Array.isArray(parsed.sources)) return undefined;
    const { size, claimedAtMs } = parsed;
    if (typeof size !== 'number' || typeof claimedAtMs !== 'number') return undefined;
    return { digest, size, claimedAtMs, sources: parsed.sources.filter(isSource).slice(0, CLAIM_SOURCES_MAX) };
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isSource(value: unknown): value is Source {
  return isRecord(value) && typeof value.registry === 'string' && typeof value.repository === 'string';
}
