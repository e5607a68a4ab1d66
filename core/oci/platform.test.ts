import { describe, expect, it } from '@jest/globals';
import type { Descriptor, Platform } from './descriptor.ts';
import { digestOf } from './digest.ts';
import { OCI_MANIFEST } from './media-types.ts';
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  isPlatformFor,
  parsePlatform,
  platformPreferences,
} from './platform.ts';

const vector = (text: string) => platformPreferences(parsePlatform(text)).map(formatPlatform);

/** An index whose entries are named by their platform; '-' is one without. */
function indexOf(...platforms: (string | Platform)[]): Descriptor[] {
  return platforms.map((platform, at) => ({
    mediaType: OCI_MANIFEST,
    digest: digestOf(`${at}`),
    size: at,
    ...(platform === '-' ? {} : { platform: typeof platform === 'string' ? rawPlatform(platform) : platform }),
  }));
}

function rawPlatform(text: string): Platform {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** The place in the index of what is chosen. */
const choice = (wanted: string, ...platforms: (string | Platform)[]) =>
  choosePlatform(indexOf(...platforms), parsePlatform(wanted))?.size;

describe('parsePlatform()', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['Linux/X86_64', 'linux/amd64'],
    ['linux/x86-64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/i386', 'linux/386'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm64/v9.0', 'linux/arm64/v9'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['macos/arm64', 'darwin/arm64'],
    ['linux/s390x', 'linux/s390x'],
  ])('makes %s %s', (text, normal) => {
    expect(formatPlatform(parsePlatform(text))).toBe(normal);
  });

  it.each(['', 'linux', 'linux/', '/amd64', 'linux/arm64/v8/x', 'linux/a b', 'linux/*'])('refuses "%s"', (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('hostPlatform()', () => {
  it.each([
    ['x64', 'linux/amd64'],
    ['arm64', 'linux/arm64'],
    ['arm', 'linux/arm/v7'],
    ['ia32', 'linux/386'],
    ['ppc64', 'linux/ppc64le'],
    ['s390x', 'linux/s390x'],
  ])('gives for %s %s', (arch, platform) => {
    expect(formatPlatform(hostPlatform(arch))).toBe(platform);
  });
});

describe('platformPreferences()', () => {
  it('falls from amd64 to 386, through the lower levels', () => {
    expect(vector('linux/amd64')).toEqual(['linux/amd64', 'linux/386']);
    expect(vector('linux/amd64/v3')).toEqual(['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64/v1', 'linux/386']);
  });

  it('falls from arm64 to every 32-bit arm', () => {
    const arm32 = ['linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5'];
    expect(vector('linux/arm64')).toEqual(['linux/arm64/v8', ...arm32]);
    expect(vector('linux/arm64/v8.2')).toEqual(['linux/arm64/v8.2', 'linux/arm64/v8.1', 'linux/arm64/v8', ...arm32]);
    expect(vector('linux/arm64/v9.1')).toEqual([
      ...['v9.1', 'v9', 'v8.6', 'v8.5', 'v8.4', 'v8.3', 'v8.2', 'v8.1', 'v8'].map((name) => `linux/arm64/${name}`),
      ...arm32,
    ]);
    expect(vector('linux/arm64/v9.7')).toHaveLength(8 + 10 + 4);
  });

  it('goes down the arm ladder and nowhere else', () => {
    expect(vector('linux/arm/v7')).toEqual(['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']);
    expect(vector('linux/arm/v5')).toEqual(['linux/arm/v5']);
    expect(vector('linux/riscv64')).toEqual(['linux/riscv64']);
  });
});

describe('choosePlatform()', () => {
  it('takes the best match, whatever the order of the index', () => {
    expect(choice('linux/amd64', 'linux/386', 'linux/arm64', 'linux/amd64')).toBe(2);
    expect(choice('linux/arm64', 'linux/arm/v7', 'linux/arm64/v8')).toBe(1);
    expect(choice('linux/arm/v7', 'linux/arm/v5', 'linux/arm/v6', 'linux/arm/v8')).toBe(1);
    expect(choice('linux/amd64/v3', 'linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4')).toBe(1);
  });

  it('falls back from amd64 to 386', () => {
    expect(choice('linux/amd64', 'linux/arm64', 'linux/386')).toBe(1);
  });

  it('takes the first of equals', () => {
    expect(choice('linux/amd64', 'linux/arm64', 'linux/amd64', 'linux/x86_64')).toBe(1);
  });

  it('takes an entry without a platform only when nothing matches', () => {
    expect(choice('linux/amd64', '-', 'linux/386')).toBe(1);
    expect(choice('linux/amd64', 'linux/arm64', '-', '-')).toBe(1);
  });

  it('takes none when nothing matches, attestations included', () => {
    expect(choice('linux/amd64', 'linux/arm64', 'windows/amd64', 'unknown/unknown')).toBeUndefined();
    expect(choice('linux/arm/v6', 'linux/arm/v7')).toBeUndefined();
    expect(choice('linux/amd64')).toBeUndefined();
  });

  it('refuses features of the OS that the node lacks, and ignores an OS version on Linux', () => {
    const special = { os: 'linux', architecture: 'amd64', osFeatures: ['special'] };
    expect(choice('linux/amd64', special, 'linux/amd64')).toBe(1);
    expect(choosePlatform(indexOf('linux/amd64', special), special)?.size).toBe(1);
    expect(choice('linux/amd64', { os: 'linux', architecture: 'amd64', osVersion: '5' })).toBe(0);
  });

  it('wants the same build on Windows', () => {
    const server = (osVersion: string) => ({ os: 'windows', architecture: 'amd64', osVersion });
    const index = indexOf(server('10.0.17763.1'), server('10.0.20348.9'));
    expect(choosePlatform(index, server('10.0.20348.1'))?.size).toBe(1);
  });
});

describe('isPlatformFor()', () => {
  it('accepts what the node can run and nothing else', () => {
    expect(isPlatformFor({ os: 'linux', architecture: '386' }, hostPlatform('x64'))).toBe(true);
    expect(isPlatformFor({ os: 'linux', architecture: 'arm64' }, hostPlatform('x64'))).toBe(false);
    expect(isPlatformFor({ os: '', architecture: 'amd64' }, hostPlatform('x64'))).toBe(true);
  });
});
