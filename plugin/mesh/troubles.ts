/** Remembers what keeps others away: the last failure to join, and the addresses of those with another key. Bounded. */
import type { MeshEvents } from './events.ts';
import type { MeshTroubles, Stranger } from './mesh.ts';
import { messageOf } from '../../core/runtime/errors.ts';

/** The latest; whoever floods us with addresses gets no more memory than that. */
export const STRANGERS_MAX = 32;

export class Troubles {
  readonly #nowMs: () => number;
  readonly #strangers = new Map<string, Stranger>();
  #joinFailure: string | undefined;

  /** @param nowMs milliseconds since the epoch */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  told(): MeshTroubles {
    return { joinFailure: this.#joinFailure, strangers: [...this.#strangers.values()] };
  }

  /** The same events, noticed on their way. */
  watching(events: MeshEvents): MeshEvents {
    return {
      ...events,
      dropped: (reason, from) => {
        if (from !== undefined && (reason === 'undecryptable' || reason === 'unencrypted'))
          this.#note(from.address, reason);
        events.dropped(reason, from);
      },
      joined: (to) => {
        this.#joinFailure = undefined;
        events.joined(to);
      },
      joinFailed: (facts) => {
        this.#joinFailure = messageOf(facts.error);
        events.joinFailed(facts);
      },
    };
  }

  #note(address: string, reason: Stranger['reason']): void {
    this.#strangers.delete(address);
    this.#strangers.set(address, { address, reason, lastAtMs: this.#nowMs() });
    const [oldest] = this.#strangers.keys();
    if (this.#strangers.size > STRANGERS_MAX && oldest !== undefined) this.#strangers.delete(oldest);
  }
}
