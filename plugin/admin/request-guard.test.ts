import { describe, expect, it } from '@jest/globals';
import { codeOf } from '../../core/runtime/errors.ts';
import { type GuardRules, type GuardedRequest, checkChange, checkHost } from './request-guard.ts';

const REQUEST: GuardedRequest = {
  host: '127.0.0.1:7950',
  origin: undefined,
  authorization: undefined,
  contentType: 'application/json',
};
const RULES: GuardRules = { token: undefined, listenHost: '127.0.0.1', names: new Set(['node-a']) };

function outcome(check: () => void): string {
  try {
    check();
    return 'ok';
  } catch (error) {
    return codeOf(error);
  }
}

describe('request-guard', () => {
  it.each([
    ['127.0.0.1:7950', 'ok'],
    ['[::1]:7950', 'ok'],
    ['10.1.2.3', 'ok'],
    ['localhost:7950', 'ok'],
    ['Node-A:7950', 'ok'],
    ['node-a.:7950', 'ok'],
    ['evil.example:7950', 'PERMISSION_DENIED'],
    ['127.0.0.1.evil.example', 'PERMISSION_DENIED'],
    ['127.0.0.1@evil.example', 'PERMISSION_DENIED'],
    ['', 'PERMISSION_DENIED'],
    [undefined, 'PERMISSION_DENIED'],
  ])('checkHost() of %j is %s', (host, expected) => {
    expect(outcome(() => checkHost({ ...REQUEST, host }, RULES))).toBe(expected);
  });

  it('checkChange() lets loopback listeners without a token change things', () => {
    expect(outcome(() => checkChange(REQUEST, RULES))).toBe('ok');
    expect(outcome(() => checkChange(REQUEST, { ...RULES, listenHost: '::1' }))).toBe('ok');
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'node-a'])('checkChange() refuses on %s without a token', (listenHost) => {
    expect(outcome(() => checkChange(REQUEST, { ...RULES, listenHost }))).toBe('PERMISSION_DENIED');
  });

  it.each([
    [undefined, 'UNAUTHENTICATED'],
    ['Bearer wrong', 'UNAUTHENTICATED'],
    ['Basic s3cret', 'UNAUTHENTICATED'],
    ['Bearer s3cret and more', 'UNAUTHENTICATED'],
    ['Bearer s3cret', 'ok'],
    ['bearer  s3cret', 'ok'],
  ])('checkChange() with a token and Authorization %j is %s', (authorization, expected) => {
    const rules = { ...RULES, token: 's3cret', listenHost: '0.0.0.0' };
    expect(outcome(() => checkChange({ ...REQUEST, authorization }, rules))).toBe(expected);
  });

  it('checkChange() refuses what a page of another site could send', () => {
    expect(outcome(() => checkChange({ ...REQUEST, contentType: 'text/plain' }, RULES))).toBe('INVALID_ARGUMENT');
    expect(outcome(() => checkChange({ ...REQUEST, contentType: undefined }, RULES))).toBe('INVALID_ARGUMENT');
    expect(outcome(() => checkChange({ ...REQUEST, origin: 'https://evil.example' }, RULES))).toBe('PERMISSION_DENIED');
    expect(outcome(() => checkChange({ ...REQUEST, origin: 'null' }, RULES))).toBe('PERMISSION_DENIED');
    expect(outcome(() => checkChange({ ...REQUEST, origin: 'http://127.0.0.1:7950' }, RULES))).toBe('ok');
  });
});
