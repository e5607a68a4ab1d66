import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { ManualClock } from '../content/fakes/manual-clock.ts';
import type { CallerCredential } from '../content/origin.ts';
import { CallerAccess, GRANT_MS } from './caller-access.ts';

const DIGEST = digestOf('one');
const SOURCE = { registry: 'registry.example', repository: 'team/app' };
const ME: CallerCredential = { kind: 'basic', username: 'me', password: 'secret' };
const QUESTION = { source: SOURCE, credential: ME, digest: DIGEST };

function setUp() {
  const clock = new ManualClock();
  const told: string[] = [];
  const access = new CallerAccess({ clock, events: { authorized: (answer) => void told.push(answer) } });
  let asked = 0;
  const ask = async () => {
    asked += 1;
    return 7;
  };
  return { clock, told, access, ask, asked: () => asked };
}

describe('check()', () => {
  it('asks once, and again when five minutes are over', async () => {
    const { access, ask, asked, clock, told } = setUp();
    await expect(access.check(QUESTION, ask)).resolves.toBe(7);
    await expect(access.check(QUESTION, ask)).resolves.toBeUndefined();
    expect(asked()).toBe(1);
    await clock.advance(GRANT_MS);
    await access.check(QUESTION, ask);
    expect(asked()).toBe(2);
    expect(told).toEqual(['granted', 'remembered', 'granted']);
    expect(GRANT_MS).toBeLessThan(5 * 60_000);
  });

  it('asks for each credential, each repository and each digest by itself', async () => {
    const { access, ask, asked } = setUp();
    await access.check(QUESTION, ask);
    await access.check({ ...QUESTION, credential: { ...ME, password: 'other' } }, ask);
    await access.check({ ...QUESTION, credential: { kind: 'anonymous' } }, ask);
    await access.check({ ...QUESTION, source: { ...SOURCE, repository: 'team/other' } }, ask);
    await access.check({ ...QUESTION, digest: digestOf("another repository's") }, ask);
    expect(asked()).toBe(5);
  });

  it('takes the word of one caller for what a repository holds, not for what another may', async () => {
    const { access, ask, asked } = setUp();
    const other = { ...QUESTION, credential: { kind: 'bearer', token: 't' } as const };
    await access.check(QUESTION, ask);
    expect(access.isGranted(other)).toBe(false);
    await access.check({ ...other, digest: digestOf('two') }, ask);
    expect(access.isGranted(other)).toBe(true);
    expect(asked()).toBe(2);
  });

  it('forgets a caller whom the registry refuses, and keeps one whom it could not answer', async () => {
    const { access, ask, told } = setUp();
    await access.check(QUESTION, ask);
    const second = { ...QUESTION, digest: digestOf('two') };
    const fail = (code: 'UNAVAILABLE' | 'UNAUTHENTICATED') => () => Promise.reject(new CodedError(code, 'x'));
    await expect(access.check(second, fail('UNAVAILABLE'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(access.isGranted(QUESTION)).toBe(true);
    await expect(access.check(second, fail('UNAUTHENTICATED'))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(access.isGranted(QUESTION)).toBe(false);
    expect(told).toEqual(['granted', 'unanswered', 'refused']);
  });
});
