import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { FakeSource } from '../../test/support/content/fake-source.ts';
import { SourceLedger } from './source-ledger.ts';

const want = { digest: digestOf('x'), size: 1, sources: [] };
const wrong = new CodedError('DATA_LOSS', 'Wrong');
const bytes = Buffer.from('x');

function setUp() {
  const [swarm, upstream] = [new FakeSource('swarm', bytes), new FakeSource('upstream', bytes)];
  const ledger = new SourceLedger([Object.assign(swarm, { strikesMax: 3 }), upstream]);
  /** A whole of what these brought was wrong. */
  const wrongWhole = (...by: FakeSource[]) => {
    for (const source of by) ledger.brought(source, 1);
    return ledger.blame(want, wrong);
  };
  return { ledger, swarm, upstream, wrongWhole, usable: () => ledger.usable(want).map(({ name }) => name) };
}

describe('SourceLedger', () => {
  it('blame() leaves a source out after as many wrong wholes as it asks for, two if it does not', () => {
    const { swarm, upstream, wrongWhole, usable } = setUp();
    wrongWhole(swarm);
    wrongWhole(swarm);
    expect(usable()).toEqual(['swarm', 'upstream']);
    wrongWhole(swarm);
    expect(usable()).toEqual(['upstream']);
    wrongWhole(upstream);
    expect(usable()).toEqual(['upstream']);
    wrongWhole(upstream);
    expect(usable()).toEqual([]);
  });

  it('blame() does not blame the last resort for what others brought a part of', () => {
    const { swarm, upstream, wrongWhole, usable } = setUp();
    for (let time = 0; time < 3; time += 1) expect(wrongWhole(swarm, upstream)).toBe(1);
    expect([swarm.toldWrong, upstream.toldWrong]).toEqual([3, 0]);
    expect(usable()).toEqual(['upstream']);
  });

  it('failed() leaves a source out at once when it refuses, and asks one again that may come back', () => {
    const { ledger, swarm, upstream, usable } = setUp();
    ledger.failed(swarm, new CodedError('UNAVAILABLE', 'Later'));
    expect(usable()).toEqual(['swarm', 'upstream']);
    ledger.failed(upstream, new CodedError('PERMISSION_DENIED', 'No'));
    expect(usable()).toEqual(['swarm']);
  });
});
