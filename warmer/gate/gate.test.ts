import { describe, expect, it } from '@jest/globals';
import { blobsFor, image, input, node, OPTIONS, workload } from '../plan/plan-fixtures.ts';
import { makePlan } from '../plan/make-plan.ts';
import { gateImages, parseQuorum } from './gate.ts';

const web = image('web');
const holds = new Set(blobsFor(web));

function gate(quorum: string, warm: number, of: number) {
  const nodes = Array.from({ length: of }, (_, at) => node(`n${at}`, at < warm ? { holds } : {}));
  const plan = makePlan(input({ images: [web], workloads: [workload('w', [web])], nodes }), OPTIONS);
  return gateImages(plan, [], parseQuorum(quorum))[0];
}

describe('gateImages()', () => {
  it.each([
    ['90%', 9, 10, true],
    ['90%', 8, 10, false],
    ['100%', 3, 3, true],
    ['1%', 0, 10, false],
    ['1%', 1, 10, true],
    ['3', 3, 10, true],
    ['3', 2, 2, false],
    ['66.6%', 2, 3, true],
  ])('with %s and %d of %d nodes warm says %s', (quorum, warm, of, isWarm) => {
    expect(gate(quorum, warm, of)).toMatchObject({ warm, nodes: of, isWarm });
  });

  it('is not satisfied by an image that goes nowhere', () => {
    expect(gate('1%', 0, 0)).toMatchObject({ isWarm: false, reason: 'No node is to have it' });
  });

  it('counts nodes without room', () => {
    const nodes = [node('a', { holds }), node('b', { freeBytes: 1 })];
    const plan = makePlan(input({ images: [web], workloads: [workload('w', [web])], nodes }), OPTIONS);
    expect(gateImages(plan, [], parseQuorum('100%'))[0]).toMatchObject({ warm: 1, nodes: 2, isWarm: false });
  });
});

describe('parseQuorum()', () => {
  it.each(['0%', '101%', '0', '2.5', 'half', '', '-1', '90 %%'])('refuses "%s"', (text) => {
    expect(() => parseQuorum(text)).toThrow('--quorum');
  });
});
