import type { lookup } from 'node:dns';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { classifyAddress, guardedLookup, refuseForbiddenAddress } from './address-guard.ts';

describe('classifyAddress()', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.1.2', 'loopback'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['2002:7f00:1::', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf::1', 'link-local'],
    ['169.254.169.254', 'metadata'],
    ['::ffff:169.254.169.254', 'metadata'],
    ['64:ff9b::a9fe:a9fe', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['fd00:0ec2:0:0:0:0:0:254', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['10.1.2.3', 'private'],
    ['172.31.0.1', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12::1', 'private'],
    ['1.1.1.1', 'public'],
    ['::ffff:1.1.1.1', 'public'],
    ['2606:4700::1111', 'public'],
    ['registry.example', undefined],
    ['', undefined],
  ])('calls %s %s', (address, wanted) => {
    expect(classifyAddress(address)).toBe(wanted);
  });

  it('has an answer for every address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        expect(classifyAddress(address)).toEqual(expect.any(String));
      }),
    );
  });

  it('judges an IPv4 address the same however it is wrapped', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(classifyAddress(`::ffff:${address}`)).toBe(classifyAddress(address));
      }),
    );
  });
});

describe('refuseForbiddenAddress()', () => {
  it.each([
    'http://127.0.0.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'https://[::1]:5000/',
    'http://169.254.169.254/',
  ])('refuses %s', (url) => {
    expect(() => refuseForbiddenAddress(new URL(url))).toThrow(expect.objectContaining({ code: 'PERMISSION_DENIED' }));
  });

  it('lets names and other addresses pass', () => {
    for (const url of ['https://registry.example/', 'http://10.0.0.1/', 'https://[2606:4700::1111]/']) {
      refuseForbiddenAddress(new URL(url));
    }
  });
});

describe('guardedLookup()', () => {
  type Answer = { address: string; family: number }[];
  const resolver = (answer: Answer | Error) =>
    ((_: string, __: unknown, callback: (error: Error | null, found?: Answer) => void) =>
      answer instanceof Error ? callback(answer) : callback(null, answer)) as unknown as typeof lookup;
  const ask = (answer: Answer | Error, all: boolean) =>
    new Promise((resolve, reject) => {
      guardedLookup(resolver(answer))('evil.example', { all }, (error, found) =>
        error ? reject(error) : resolve(found),
      );
    });
  const v4 = (address: string) => ({ address, family: 4 });

  it('leaves out what may not be reached', async () => {
    await expect(ask([v4('127.0.0.1'), v4('1.1.1.1')], true)).resolves.toEqual([v4('1.1.1.1')]);
    await expect(ask([v4('127.0.0.1'), v4('1.1.1.1')], false)).resolves.toBe('1.1.1.1');
  });

  it('fails when nothing is left, naming host and address', async () => {
    const refused = ask([v4('169.254.169.254')], true);
    await expect(refused).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(refused).rejects.toThrow(/"evil.example" \(169\.254\.169\.254\)/);
    await expect(ask([], true)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('passes a failed lookup on', async () => {
    await expect(ask(new Error('ENOTFOUND'), true)).rejects.toThrow('ENOTFOUND');
  });
});
