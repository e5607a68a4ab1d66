/** Seeding on another node, by calls over the peer port. */
import type { Digest } from '../../../core/oci/digest.ts';
import { isLoopback } from '../../../core/runtime/config-address.ts';
import { digestBytes, bytesIn } from '../../providers/wire-fields.ts';
import type { PeerAddress, PeerCalls, PeerMethod } from '../../peer/peer.ts';
import type { SeedEvents } from '../events.ts';
import { CALL_MS } from '../limits.ts';
import type { NodeFacts, NodeSeeding, OrderNews, SeedOrder } from '../seed.ts';
import { readFacts, readNews } from './news-messages.ts';
import { orderMessage } from './order-messages.ts';
import { seedingMethods } from './seeding-methods.ts';

export interface RemoteDeps {
  /** This node's name in the mesh. */
  readonly self: string;
  readonly calls: PeerCalls;
  /** Whether the peer port is sealed by mutual TLS. */
  readonly isSealed: boolean;
  readonly events: Pick<SeedEvents, 'tokensWithheld'>;
}

type Call = { readonly signal: AbortSignal };

export class RemoteSeeding implements NodeSeeding {
  readonly #deps: RemoteDeps;
  readonly #peer: PeerAddress;
  readonly #callMs: number;

  /** `callMs`: how long a call may take beside what it is told to wait. */
  constructor(deps: RemoteDeps, peer: PeerAddress, callMs: number = CALL_MS) {
    this.#deps = deps;
    this.#peer = peer;
    this.#callMs = callMs;
  }

  async begin(order: SeedOrder, call: Call): Promise<void> {
    const { self, isSealed, events } = this.#deps;
    const withTokens = isSealed || isLoopback(this.#peer.host);
    if (!withTokens && order.images.some(({ token }) => token !== undefined)) {
      events.tokensWithheld({ id: order.id, node: this.#peer.name });
    }
    await this.#ask(seedingMethods().startSeed, orderMessage(order, { from: self, withTokens }), call);
  }

  async watch({ id, revision, waitMs }: { id: string; revision: number; waitMs: number }, call: Call) {
    const message = { from: this.#deps.self, id, revision, waitMs };
    return readNews(await this.#ask(seedingMethods().watchSeed, message, { ...call, waitMs })) satisfies OrderNews;
  }

  async cancel(id: string, call: Call): Promise<void> {
    await this.#ask(seedingMethods().cancelSeed, { from: this.#deps.self, id }, call);
  }

  async presence(digests: readonly Digest[], call: Call): Promise<Uint8Array> {
    const reply = await this.#ask(seedingMethods().presence, { digests: digests.map(digestBytes) }, call);
    const bits = new Uint8Array(Math.ceil(digests.length / 8));
    bits.set(bytesIn(reply, 'has').subarray(0, bits.length));
    return bits;
  }

  async facts(call: Call): Promise<NodeFacts> {
    return readFacts(await this.#ask(seedingMethods().facts, {}, call));
  }

  #ask(
    method: PeerMethod,
    message: object,
    { signal, waitMs = 0 }: Call & { readonly waitMs?: number },
  ): Promise<object> {
    return this.#deps.calls.call(this.#peer, method, message, { signal, deadlineMs: waitMs + this.#callMs });
  }
}
