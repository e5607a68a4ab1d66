/**
 * Whether the fleet can bring a blob, from memory: somebody has it or writes it, this node can read its source, or its owner
 * said that somebody's containerd fetches it. Members are asked first, the source only when none of them has anything of it:
 * what is on its way to one node is not asked of a registry by another.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Route, Want } from '../content/blob-source.ts';
import type { Provider, ProviderFinder } from '../providers/providers.ts';
import type { Crowd } from './crowd.ts';
import type { Origin } from './swarm.ts';

/** Blobs whose look-up is waited for before the next step. */
const STEPS_MAX = 4_096;

export interface RoutesDeps {
  readonly providers: ProviderFinder;
  readonly origin: Origin;
  readonly crowd: Crowd;
  /** Another member, not banned. */
  readonly isUsable: (name: string) => boolean;
  /** Takes pieces from the source, and may be named a writer. */
  readonly isSharing: boolean;
}

export class Routes {
  readonly #deps: RoutesDeps;
  /** Blobs being prepared; true for those that containerd is about to ask for. */
  readonly #steps = new Map<Digest, { isGathering: boolean }>();

  constructor(deps: RoutesDeps) {
    this.#deps = deps;
  }

  prepare(want: Want): void {
    this.#deps.crowd.refresh(want.digest);
    this.#step(want, false);
  }

  /** As `prepare`, for a blob that containerd is about to ask for: where nobody has it, its owner is asked who fetches it. */
  gather(want: Want): void {
    this.#step(want, true);
  }

  route(want: Want): Route {
    const { providers, crowd } = this.#deps;
    const states = new Set(this.#usable(want.digest).map(({ state }) => state));
    const source = this.#source(want);
    if (states.has('whole') || states.has('writing') || source === 'yes') return 'yes';
    const word = crowd.word(want.digest);
    if (word === 'claim') return 'yes';
    if (word === 'asking' || providers.isAsking(want.digest)) return 'asking';
    if (word === undefined && states.has('fetching')) return 'yes';
    return source;
  }

  async settled(want: Want, { signal }: { signal: AbortSignal }): Promise<void> {
    const { providers, crowd, origin } = this.#deps;
    await providers.settled(want.digest, { signal });
    await crowd.settled(want.digest);
    signal.throwIfAborted();
    if (this.route(want) !== 'asking') return;
    origin.prepare(want);
    await origin.settled(want, { signal });
  }

  /** Nothing comes: the source may have to be asked after all. */
  askSource(want: Want): void {
    if (this.#deps.isSharing) this.#deps.origin.prepare(want);
  }

  #step(want: Want, isGathering: boolean): void {
    const { providers } = this.#deps;
    const { digest } = want;
    const running = this.#steps.get(digest);
    if (running !== undefined) {
      running.isGathering ||= isGathering;
      return;
    }
    if (this.#steps.size >= STEPS_MAX) return;
    const step = { isGathering };
    this.#steps.set(digest, step);
    providers.lookUp([digest]);
    const over = new AbortController();
    providers.settled(digest, { signal: over.signal }).then(
      () => this.#next(want, step),
      () => this.#steps.delete(digest),
    );
  }

  #next(want: Want, step: { isGathering: boolean }): void {
    const { crowd, isSharing } = this.#deps;
    this.#steps.delete(want.digest);
    const usable = this.#usable(want.digest);
    if (usable.some(({ state }) => state !== 'fetching')) return;
    if (step.isGathering && this.#source(want) !== 'yes') crowd.ask(want.digest);
    else if (usable.length > 0) return;
    if (isSharing) this.#deps.origin.prepare(want);
  }

  #usable(digest: Digest): readonly Provider[] {
    return (this.#deps.providers.peek(digest) ?? []).filter(({ name }) => this.#deps.isUsable(name));
  }

  #source(want: Want): Route {
    return this.#deps.isSharing ? this.#deps.origin.route(want) : 'no';
  }
}
