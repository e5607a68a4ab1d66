import { describe, expect, it } from '@jest/globals';
import { silentMeshEvents } from './fakes/silent-mesh-events.ts';
import { STRANGERS_MAX, Troubles } from './troubles.ts';

describe('Troubles', () => {
  it('remembers who has another key, once, and when it was last', () => {
    let nowMs = 1;
    const troubles = new Troubles(() => nowMs);
    const events = troubles.watching(silentMeshEvents);
    const from = { address: '10.0.0.7', port: 7946 };
    events.dropped('undecryptable', from);
    nowMs = 2;
    events.dropped('undecryptable', { ...from, port: 50_000 });
    events.dropped('malformed', { address: '10.0.0.8', port: 1 });
    expect(troubles.told().strangers).toEqual([{ address: '10.0.0.7', reason: 'undecryptable', lastAtMs: 2 }]);
  });

  it('is bounded', () => {
    const troubles = new Troubles(() => 0);
    const events = troubles.watching(silentMeshEvents);
    for (let at = 0; at < 200; at += 1) events.dropped('unencrypted', { address: `10.0.0.${at}`, port: 1 });
    const { strangers } = troubles.told();
    expect(strangers).toHaveLength(STRANGERS_MAX);
    expect(strangers.at(-1)).toMatchObject({ address: '10.0.0.199' });
  });

  it('forgets a failure to join once somebody answers', () => {
    const troubles = new Troubles(() => 0);
    const events = troubles.watching(silentMeshEvents);
    events.joinFailed({ addresses: 1, failures: 1, waitMs: 1, error: new Error('Refused') });
    expect(troubles.told().joinFailure).toBe('Refused');
    events.joined({ address: '10.0.0.1', port: 1 });
    expect(troubles.told().joinFailure).toBeUndefined();
  });
});
