import { describe, expect, it } from '@jest/globals';
import { authFor, dockerKey, helperFor, parseDockerConfig } from './docker-config.ts';

const config = (value: unknown) => parseDockerConfig(Buffer.from(JSON.stringify(value)));
const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
const basic = (username: string, password: string) => ({ kind: 'basic', username, password });

describe('authFor()', () => {
  it('finds Docker Hub under its old key', () => {
    const hub = config({ auths: { 'https://index.docker.io/v1/': auth('u:p') } });
    for (const host of ['docker.io', 'index.docker.io', 'registry-1.docker.io']) {
      expect(authFor(hub, host)).toEqual(basic('u', 'p'));
    }
    expect(authFor(config({ auths: { 'docker.io': auth('u:p') } }), 'docker.io')).toEqual(basic('u', 'p'));
    expect(authFor(config({ auths: { 'index.docker.io': auth('u:p') } }), 'docker.io')).toEqual(basic('u', 'p'));
  });

  it('finds a host whatever the scheme and path of its key, the exact key first', () => {
    const found = config({
      auths: { 'https://r.io/v2/': auth('a:1'), 'r.io': auth('b:2'), 'q.io:5000/x': auth('c:3') },
    });
    expect(authFor(found, 'r.io')).toEqual(basic('b', '2'));
    expect(authFor(found, 'q.io:5000')).toEqual(basic('c', '3'));
    expect(authFor(found, 'q.io')).toBeUndefined();
    expect(authFor(found, 'evil-r.io')).toBeUndefined();
  });

  it('reads every kind of entry', () => {
    const auths = {
      plain: { username: 'u', password: 'p' },
      colon: auth('u:p:q'),
      padded: auth('u:p\0\0'),
      identity: { ...auth('u:p'), identitytoken: 'refresh' },
      token: { registrytoken: 'bearer' },
      empty: {},
    };
    const found = config({ auths });
    expect(authFor(found, 'plain')).toEqual(basic('u', 'p'));
    expect(authFor(found, 'colon')).toEqual(basic('u', 'p:q'));
    expect(authFor(found, 'padded')).toEqual(basic('u', 'p'));
    expect(authFor(found, 'identity')).toEqual({ kind: 'identity', refreshToken: 'refresh' });
    expect(authFor(found, 'token')).toEqual({ kind: 'bearer', token: 'bearer' });
    expect(authFor(found, 'empty')).toBeUndefined();
  });
});

describe('helperFor()', () => {
  it("prefers a host's own helper to the store", () => {
    const found = config({ credHelpers: { 'r.io': 'ecr-login' }, credsStore: 'pass' });
    expect(helperFor(found, 'r.io')).toBe('ecr-login');
    expect(helperFor(found, 'other.io')).toBe('pass');
    expect(helperFor(config({}), 'r.io')).toBeUndefined();
  });
});

describe('parseDockerConfig()', () => {
  it('drops what it cannot understand, says so without secrets, and keeps the rest', () => {
    const found = config({
      auths: { bad: { auth: Buffer.from('nocolon-secret').toString('base64') }, good: auth('u:p'), odd: 5 },
      credHelpers: { 'r.io': '../../bin/sh' },
      credsStore: 'a/b',
    });
    expect(authFor(found, 'good')).toEqual(basic('u', 'p'));
    expect(helperFor(found, 'r.io')).toBeUndefined();
    expect(found.problems).toHaveLength(3);
    expect(found.problems.join()).not.toContain('secret');
  });

  it('refuses what is not a JSON object', () => {
    expect(() => parseDockerConfig(Buffer.from('[]'))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('dockerKey()', () => {
  it("gives docker's own name", () => {
    expect(dockerKey('docker.io')).toBe('https://index.docker.io/v1/');
    expect(dockerKey('ghcr.io')).toBe('ghcr.io');
  });
});
