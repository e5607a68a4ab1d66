import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../../core/runtime/clock.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import { keyring, KEY_A, KEY_B } from '../test-peers.ts';
import { deriveAuthority } from './key-authority.ts';
import { PeerTrust, RENEWED_AFTER_MS } from './peer-trust.ts';

const AT_MS = Date.UTC(2026, 0, 15);

function clockAt(atMs: number): Clock & { atMs: number } {
  return {
    ...systemClock,
    atMs,
    now() {
      return this.atMs;
    },
  };
}

function trustOf(nodeName: string, ...keys: Uint8Array[]) {
  return new PeerTrust({ nodeName, identity: keyring(...keys), clock: clockAt(AT_MS) });
}

describe('deriveAuthority()', () => {
  it('gives every node with the key the same certificate, and nobody else', () => {
    expect(deriveAuthority(KEY_A).certificatePem).toBe(deriveAuthority(Buffer.from(KEY_A)).certificatePem);
    expect(deriveAuthority(KEY_A).id).not.toBe(deriveAuthority(KEY_B).id);
    expect(deriveAuthority(KEY_A).id).not.toBe(deriveAuthority(KEY_A.subarray(0, 16)).id);
  });

  it('gives a certificate that OpenSSL reads as an authority, without the key', () => {
    const authority = new X509Certificate(deriveAuthority(KEY_A).certificatePem);
    expect(authority.ca).toBe(true);
    expect(authority.checkIssued(authority)).toBe(true);
    expect(authority.verify(authority.publicKey)).toBe(true);
    expect(authority.raw.includes(KEY_A)).toBe(false);
    expect([authority.validFrom, authority.validTo]).toEqual(['Jan  1 00:00:00 2020 GMT', 'Dec 31 23:59:59 9999 GMT']);
  });
});

describe('PeerTrust', () => {
  it('presents a backdated, short-lived certificate of the first key with its name', () => {
    const material = trustOf('node-a', KEY_A, KEY_B).material();
    const certificate = new X509Certificate(material?.cert ?? '');
    expect(certificate.subject).toBe('CN=node-a');
    expect(certificate.subjectAltName).toBe('DNS:node-a');
    expect(certificate.ca).toBe(false);
    expect(certificate.validFrom).toBe('Jan 14 00:00:00 2026 GMT');
    expect(certificate.validTo).toBe('Jan 18 00:00:00 2026 GMT');
    expect(material?.authorityId).toBe(deriveAuthority(KEY_A).id);
    expect(material?.ca).toHaveLength(2);
  });

  it('proves members of every key and nobody else', () => {
    const ours = trustOf('node-a', KEY_A, KEY_B);
    const certificateOf = (trust: PeerTrust) => new X509Certificate(trust.material()?.cert ?? '');
    expect(ours.prove(certificateOf(trustOf('node-b', KEY_B)))).toEqual({
      names: ['node-b'],
      authorityId: deriveAuthority(KEY_B).id,
    });
    expect(ours.prove(certificateOf(trustOf('node-c', Buffer.alloc(16, 3))))).toBeUndefined();
    expect(ours.prove(undefined)).toBeUndefined();
  });

  it('names a node whose name is too long for a common name', () => {
    const name = `node-${'x'.repeat(120)}`;
    const certificate = new X509Certificate(trustOf(name, KEY_A).material()?.cert ?? '');
    expect(trustOf('node-a', KEY_A).prove(certificate)?.names).toEqual([name]);
  });

  it('makes a new certificate when the old one is due, whichever way the clock went', () => {
    for (const passedMs of [RENEWED_AFTER_MS, -RENEWED_AFTER_MS]) {
      const clock = clockAt(AT_MS);
      const trust = new PeerTrust({ nodeName: 'node-a', identity: keyring(KEY_A), clock });
      const first = trust.material();
      clock.atMs += passedMs / 2;
      expect(trust.material()).toBe(first);
      clock.atMs += passedMs / 2;
      expect(trust.material()?.cert).not.toBe(first?.cert);
    }
  });

  it('tells which keys a new keyring removes, and changes nothing for one that it refuses', () => {
    const trust = trustOf('node-a', KEY_A, KEY_B);
    expect(trust.setKeyring([KEY_B])).toEqual(new Set([deriveAuthority(KEY_A).id]));
    expect(() => trust.setKeyring([])).toThrow('A keyring of 0 keys is refused');
    expect(() => trust.setKeyring([Buffer.alloc(5)])).toThrow('has not 16, 24 or 32 bytes');
    expect(trust.material()?.authorityId).toBe(deriveAuthority(KEY_B).id);
  });

  it('refuses a name that cannot stand in a certificate, and files that are none', () => {
    expect(() => trustOf('a b', KEY_A)).toThrow('cannot stand in a certificate');
    const identity = { kind: 'files', cert: 'x', key: 'x', ca: 'x' } as const;
    expect(() => new PeerTrust({ nodeName: 'a', identity, clock: systemClock })).toThrow('cannot be read');
  });
});
