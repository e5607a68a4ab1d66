import { describe, expect, it } from '@jest/globals';
import { CodedError } from '../runtime/errors.ts';
import type { Credential, CredentialSource } from './credentials.ts';
import { firstCredentials } from './first-credentials.ts';

const { signal } = new AbortController();

function saying(credential: Credential | undefined | Error): CredentialSource {
  return {
    get: async () => {
      if (credential instanceof Error) throw credential;
      return credential;
    },
    version: async () => JSON.stringify(credential) ?? 'none',
  };
}

const ONE: Credential = { kind: 'bearer', token: 'one' };
const TWO: Credential = { kind: 'bearer', token: 'two' };
const BROKEN = new CodedError('UNAVAILABLE', 'Plugin is late');

describe('firstCredentials()', () => {
  it.each([
    ['the first that knows', [saying(undefined), saying(ONE), saying(TWO)], ONE],
    ['the next when one fails', [saying(BROKEN), saying(TWO)], TWO],
    ['none when nobody knows', [saying(undefined), saying(undefined)], undefined],
  ])('get() gives %s', async (_title, sources, wanted) => {
    expect(await firstCredentials(sources).get('r.io', { signal })).toEqual(wanted);
  });

  it('get() tells the failure when nobody else knows', async () => {
    const source = firstCredentials([saying(BROKEN), saying(undefined)]);
    await expect(source.get('r.io', { signal })).rejects.toBe(BROKEN);
  });

  it('version() changes with each of them', async () => {
    const versions = await Promise.all([
      firstCredentials([saying(ONE), saying(ONE)]).version({ signal }),
      firstCredentials([saying(ONE), saying(TWO)]).version({ signal }),
    ]);
    expect(new Set(versions).size).toBe(2);
  });
});
