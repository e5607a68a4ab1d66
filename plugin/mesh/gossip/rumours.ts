/** All that is to be told to others: about members, which comes first, and for the application above. */
import { COMPOUND_ENTRY_BYTES, COMPOUND_MESSAGES_MAX } from '../wire/compound.ts';
import { retransmitLimit } from '../members/formulas.ts';
import { writeUser } from '../wire/messages.ts';
import { BroadcastQueue } from './broadcast-queue.ts';

export interface RumoursDeps {
  /** memberlist's `RetransmitMult`. */
  readonly retransmitFactor: number;
  readonly countMembers: () => number;
}

export class Rumours {
  readonly #deps: RumoursDeps;
  readonly #aboutMembers = new BroadcastQueue();
  readonly #forUsers = new BroadcastQueue();

  constructor(deps: RumoursDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#aboutMembers.size + this.#forUsers.size;
  }

  /** What is said about a member takes the place of what was said about it before. `onDone`: told often enough, or replaced. */
  tellAboutMember(name: string, message: Buffer, onDone?: () => void): void {
    this.#aboutMembers.add(message, onDone === undefined ? { name } : { name, onDone });
  }

  tellUsers(payload: Uint8Array, onDone?: () => void): void {
    this.#forUsers.add(writeUser(payload), onDone === undefined ? {} : { onDone });
  }

  /** Messages that fit together into `bytesMax`, their places in a compound message counted. */
  take(bytesMax: number, countMax = COMPOUND_MESSAGES_MAX): Buffer[] {
    if (this.size === 0) return [];
    const limit = retransmitLimit(this.#deps.retransmitFactor, this.#deps.countMembers());
    const terms = { entryBytes: COMPOUND_ENTRY_BYTES, limit };
    const first = this.#aboutMembers.take({ ...terms, bytesMax, countMax });
    const used = first.reduce((sum, message) => sum + message.length + COMPOUND_ENTRY_BYTES, 0);
    const rest = { bytesMax: bytesMax - used, countMax: countMax - first.length };
    return [...first, ...this.#forUsers.take({ ...terms, ...rest })];
  }
}
