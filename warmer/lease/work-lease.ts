/** Keeps two warmers from doing the same work at once. It saves work and decides nothing. */

export interface HeldWork {
  /** Aborted once another has it. */
  readonly lost: AbortSignal;
  /** Never throws: it ends by itself. Harmless twice. */
  release(): Promise<void>;
}

export type LeaseAttempt =
  | { readonly kind: 'held'; readonly lease: HeldWork }
  | { readonly kind: 'taken'; readonly holder: string };

export interface WorkLease {
  /** One attempt. @throws CodedError when its keeper cannot be asked; the signal's reason */
  acquire(options: { signal: AbortSignal }): Promise<LeaseAttempt>;
}

export type Leased<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** Somebody else is at it. */
  | { readonly kind: 'taken'; readonly holder: string };

export interface LeaseDeps {
  /** undefined: nobody is kept apart. */
  readonly lease: WorkLease | undefined;
  /** Told when its keeper cannot be asked: the work is done all the same. */
  onTrouble(error: unknown): void;
}

/** Does the work while the lease is held. It is aborted when another takes the lease over. */
export async function withLease<T>(
  deps: LeaseDeps,
  work: (options: { signal: AbortSignal }) => Promise<T>,
  { signal }: { signal: AbortSignal },
): Promise<Leased<T>> {
  const attempt = await attemptOnce(deps, signal);
  if (attempt === undefined) return { kind: 'done', value: await work({ signal }) };
  if (attempt.kind === 'taken') return attempt;
  const { lease } = attempt;
  try {
    return { kind: 'done', value: await work({ signal: AbortSignal.any([signal, lease.lost]) }) };
  } finally {
    await lease.release();
  }
}

/** Without a keeper there is nobody to be kept apart from for certain, and images to be warmed. */
async function attemptOnce({ lease, onTrouble }: LeaseDeps, signal: AbortSignal): Promise<LeaseAttempt | undefined> {
  try {
    return await lease?.acquire({ signal });
  } catch (error) {
    signal.throwIfAborted();
    onTrouble(error);
    return undefined;
  }
}
