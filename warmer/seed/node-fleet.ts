/** The fleet over one node's admin address (`proto/shoal/seed/v1`). */
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { SeedLine } from '../../proto/shoal/seed/v1/seed-line.ts';
import type { SeedRequest } from '../../proto/shoal/seed/v1/seed-request.ts';
import { field, textField } from '../sources/extract/values.ts';
import type { Fleet, FleetMember, Presence } from './fleet.ts';
import { heldDigests, joined } from './held-digests.ts';
import type { NodeConnection } from './node-connection.ts';
import { readMember, readSeedLine } from './wire.ts';

/** Of one request (presence.ts); fewer, so that body and answers stay small. */
const DIGESTS_MAX = 20_000;
const MEMBERS_MAX = 10_000;

export function createNodeFleet(connection: NodeConnection): Fleet {
  return new NodeFleet(connection);
}

class NodeFleet implements Fleet {
  readonly #connection: NodeConnection;

  constructor(connection: NodeConnection) {
    this.#connection = connection;
  }

  get takesTokens(): boolean {
    return this.#connection.isLoopback;
  }

  async members(call: { signal: AbortSignal }): Promise<FleetMember[]> {
    const members: FleetMember[] = [];
    for await (const row of this.#connection.get('/api/v1/nodes', call)) {
      const member = readMember(row);
      if (member !== undefined && members.length < MEMBERS_MAX) members.push(member);
    }
    return members;
  }

  async presence(
    { digests, nodes }: { digests: readonly Digest[]; nodes: readonly string[] },
    call: { signal: AbortSignal },
  ): Promise<Presence> {
    const held = new Map<string, Iterable<Digest>[]>();
    const silent = new Map<string, string>();
    for (let from = 0; from < digests.length; from += DIGESTS_MAX) {
      const part = digests.slice(from, from + DIGESTS_MAX);
      for await (const line of this.#connection.post('/api/v1/presence', { digests: part, nodes }, call)) {
        const node = textField(line, 'node');
        if (node === undefined) continue;
        if (field(line, 'reached') !== true) silent.set(node, textField(line, 'reason') ?? 'It does not answer');
        else push(held, node, heldDigests(part, Buffer.from(textField(line, 'has') ?? '', 'base64')));
      }
    }
    for (const node of silent.keys()) held.delete(node);
    return { held: new Map([...held].map(([node, parts]) => [node, joined(parts)])), silent };
  }

  async *seed(request: SeedRequest, call: { signal: AbortSignal }): AsyncGenerator<SeedLine> {
    for await (const row of this.#connection.post('/api/v1/seeds', request, call)) {
      const line = readSeedLine(row);
      if (line === undefined) continue;
      yield line;
      if (line.kind === 'done' || line.kind === 'failed') return;
    }
    throw new CodedError('UNAVAILABLE', 'The node stopped answering before the seed was done');
  }
}

function push(held: Map<string, Iterable<Digest>[]>, node: string, part: Iterable<Digest>): void {
  const parts = held.get(node);
  if (parts === undefined) held.set(node, [part]);
  else parts.push(part);
}
