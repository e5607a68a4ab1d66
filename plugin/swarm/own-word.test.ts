import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { BYTES, createHoldingNode, HELD } from '../../test/support/swarm/holding-node.ts';
import { readNews, writeExchange } from './neighbour-messages.ts';
import { PieceSet } from './piece-set.ts';
import type { Vouch } from './vouch-table.ts';

const sha256Of = (bytes: Uint8Array) => digestOf(bytes).slice('sha256:'.length);
const OTHER = sha256Of(Buffer.from('something else'));

/** What the holder says to a member that tells it these vouches. */
async function said(vouches: readonly Vouch[]): Promise<readonly Vouch[]> {
  const { swarm } = createHoldingNode();
  const nothing = { have: new PieceSet(3).bytes(), arriving: [], isProven: false, isWriting: false };
  const request = writeExchange('peer', { digest: HELD, size: BYTES.length, ...nothing, vouches });
  const exchange = swarm.handlers[1];
  const wire = exchange?.method.requestSerialize(request) ?? Buffer.alloc(0);
  const call = { peer: 'peer', signal: new AbortController().signal };
  return readNews((await exchange?.handler(exchange.method.requestDeserialize(wire), call)) ?? {}).vouches;
}

describe('a holder of the whole', () => {
  it('says what it has of a piece that the caller fetched itself', async () => {
    const own = { piece: 1, sha256: OTHER, witness: 'peer' };
    const word = { piece: 1, sha256: sha256Of(BYTES.subarray(100, 200)), witness: 'me' };
    expect(await said([{ ...own, piece: 0, witness: 'somebody' }, own])).toMatchObject([word]);
    expect(await said([{ ...own, piece: 2 }])).toMatchObject([{ piece: 2, sha256: sha256Of(BYTES.subarray(200)) }]);
  });

  it('says nothing of what the caller had from others, nor of pieces that there are not', async () => {
    expect(await said([{ piece: 0, sha256: OTHER, witness: 'somebody' }])).toEqual([]);
    expect(await said([{ piece: 3, sha256: OTHER, witness: 'peer' }])).toEqual([]);
  });
});
