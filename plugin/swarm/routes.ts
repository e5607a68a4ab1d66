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
  readonly crowd: Pick<Crowd, 'word' | 'ask' | 'refresh' | 'settled'>;
  /** Another member, not banned. */
  readonly isUsable: (name: string) => boolean;
  /** Takes pieces from the source, and may be named a writer. */
  readonly isSharing: boolean;
}

export class Routes {
  readonly #deps: RoutesDeps;
  readonly #steps = new Set<Digest>();

  constructor(deps: RoutesDeps) {
    this.#deps = deps;
  }

  prepare(want: Want): void {
    this.#deps.crowd.refresh(want.digest);
    this.#step(want);
  }

  /** As `prepare`, for a blob that containerd is about to ask for: where nobody has it, its owner is asked who fetches it. */
  gather(want: Want): void {
    const { crowd } = this.#deps;
    // With the look-up, not after it: containerd does not wait long.
    if (!this.#isThere(want.digest) && this.#source(want) !== 'yes') crowd.ask(want.digest);
    this.#step(want);
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

  #step(want: Want): void {
    const { providers, crowd } = this.#deps;
    const { digest } = want;
    if (this.#steps.has(digest) || this.#steps.size >= STEPS_MAX) return;
    this.#steps.add(digest);
    providers.lookUp([digest]);
    const heard = providers.settled(digest, { signal: new AbortController().signal }).then(() => crowd.settled(digest));
    void heard.then(() => {
      this.#steps.delete(digest);
      const word = crowd.word(digest);
      const isComing = word === undefined ? this.#usable(digest).length > 0 : word === 'claim';
      if (!isComing && !this.#isThere(digest)) this.askSource(want);
    });
  }

  #isThere(digest: Digest): boolean {
    return this.#usable(digest).some(({ state }) => state !== 'fetching');
  }

  #usable(digest: Digest): readonly Provider[] {
    return (this.#deps.providers.peek(digest) ?? []).filter(({ name }) => this.#deps.isUsable(name));
  }

  #source(want: Want): Route {
    return this.#deps.isSharing ? this.#deps.origin.route(want) : 'no';
  }
}
