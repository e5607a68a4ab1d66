import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDigest } from '../../core/oci/digest.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { CodedError, codeOf } from '../../core/runtime/errors.ts';
import type { PeerCalls } from '../peer/peer.ts';
import type { SwarmMember } from '../providers/providers.ts';
import { createSurvey } from './create-survey.ts';
import type { MemberFacts, Survey } from './survey.ts';

const member = (name: string): SwarmMember => ({ name, host: '127.0.0.1', port: 1, zone: '', mode: 'full' });
const ALL = [member('a'), member('b')];
const FACTS: MemberFacts = {
  version: '1.2.3',
  ...{ nowMs: 1_000_000, startedAtMs: 5, blobs: 2, bytes: 7, capacityBytes: 100, freeBytes: 50 },
  ...{ flights: 1, bytesFromRegistries: 3, bytesFromPeers: 4, bytesServed: 9 },
  bytesByHold: { containerd: 4, cache: 3, pin: 0 },
  swarms: [
    {
      digest: parseDigest(`sha256:${'a'.repeat(64)}`),
      ...{ size: 10, pieces: 2, piecesHere: 1, map: '90', leases: 1, bytesFromPeers: 5, bytesFromSource: 0 },
    },
  ],
};

const started: Survey[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((survey) => survey.stop()));
});

/** Two nodes whose calls go straight to each other, through the wire form. */
async function pair(ping: { udp: boolean; tcp: boolean } = { udp: true, tcp: true }) {
  const surveys = new Map<string, Survey>();
  const callsOf = (from: string): PeerCalls => ({
    async call(peer, method, request, { signal }) {
      const answer = surveys.get(peer.name)?.handlers.find((one) => one.method.path === method.path);
      if (answer === undefined) throw new CodedError('UNAVAILABLE', 'Nobody is there');
      const asked = method.requestDeserialize(method.requestSerialize(request));
      const reply = await answer.handler(asked, { peer: from, signal });
      return method.responseDeserialize(method.responseSerialize(reply));
    },
  });
  for (const self of ['a', 'b']) {
    const deps = { self, members: () => ALL, calls: callsOf(self), ping: async () => ping, clock: systemClock };
    const survey = createSurvey(deps);
    surveys.set(self, survey);
    started.push(survey);
    await survey.start({ signal: new AbortController().signal });
  }
  const [a, b] = started.slice(-2);
  if (a === undefined || b === undefined) throw new Error('Nothing was started');
  return { a, b };
}

async function until(isThere: () => boolean): Promise<void> {
  for (const end = performance.now() + 5_000; !isThere(); await sleep(10)) {
    if (performance.now() > end) throw new Error('It does not come');
  }
}

describe('createSurvey()', () => {
  it('asks nobody while nobody looks, and then learns what each member says', async () => {
    const { a, b } = await pair();
    b.speakAs(async () => FACTS);
    await sleep(500);
    expect(a.surveyed().size).toBe(0);
    const look = a.watch();
    await until(() => a.surveyed().get('b')?.facts !== undefined);
    look();
    expect(a.surveyed().get('b')).toMatchObject({ facts: FACTS, failure: undefined });
    expect(a.surveyed().has('a')).toBe(false);
  });

  it('says of a member that does not answer why', async () => {
    const { a } = await pair();
    a.watch();
    await until(() => a.surveyed().get('b')?.failure !== undefined);
    expect(a.surveyed().get('b')?.failure).toBe('The node is starting');
  });

  it('reach() tries both ways and compares the clocks', async () => {
    const { a, b } = await pair({ udp: false, tcp: true });
    b.speakAs(async () => ({ ...FACTS, nowMs: Date.now() + 60_000 }));
    const reached = await a.reach('b', { signal: new AbortController().signal });
    expect(reached).toMatchObject({ udp: false, tcp: true, peer: true, backUdp: false, backTcp: true });
    expect(Math.abs((reached.skewMs ?? 0) - 60_000)).toBeLessThan(2_000);
  });

  it('reach() is for other members only', async () => {
    const { a } = await pair();
    for (const name of ['a', 'nobody']) {
      const failure = await a.reach(name, { signal: new AbortController().signal }).catch((error: unknown) => error);
      expect(codeOf(failure)).toBe('NOT_FOUND');
    }
  });
});
