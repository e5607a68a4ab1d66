/**
 * Platforms, and which manifest of an index one gets: containerd's `platforms.Only` and the choice of `images.Manifest`,
 * rule by rule, because what is warmed must be what the node's containerd will ask for.
 */
import { CodedError } from '../runtime/errors.ts';
import type { Descriptor, Platform } from './descriptor.ts';

const COMPONENT = /^[A-Za-z0-9_.-]+$/;

/** Node's `process.arch` in Go's words; names that both share are not listed. Node runs on little-endian ppc64 only. */
const GO_ARCHITECTURES = new Map([
  ['x64', 'amd64'],
  ['ia32', '386'],
  ['mipsel', 'mipsle'],
  ['ppc64', 'ppc64le'],
]);

/**
 * Parses `os/architecture` or `os/architecture/variant` and normalises it.
 * @throws CodedError INVALID_ARGUMENT for anything else
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  if (parts.length < 2 || parts.length > 3 || !parts.every((part) => COMPONENT.test(part))) {
    const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
    throw new CodedError('INVALID_ARGUMENT', `Platform "${shown}" is not os/architecture or os/architecture/variant`);
  }
  const [os = '', architecture = '', variant] = parts;
  return normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

/** `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

/** The platform of a Linux node by Node's `process.arch`. */
export function hostPlatform(arch: string): Platform {
  return normalizePlatform({ os: 'linux', architecture: GO_ARCHITECTURES.get(arch) ?? arch });
}

/** One spelling for each platform (containerd/platforms `Normalize`). An absent OS is the node's own: Linux. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase() || 'linux';
  const { architecture, variant } = normalizeArchitecture(platform.architecture, platform.variant ?? '');
  return {
    os: os === 'macos' ? 'darwin' : os,
    architecture,
    ...(variant === '' ? {} : { variant }),
    ...(platform.osVersion === undefined ? {} : { osVersion: platform.osVersion }),
    ...(platform.osFeatures === undefined ? {} : { osFeatures: [...new Set(platform.osFeatures)].sort() }),
  };
}

/**
 * The manifest that containerd takes from an index on a node of platform `wanted`: those without a platform and those
 * that match, in the order of `platformPreferences`, without a platform last, the index's own order among equals.
 * One chosen without a platform must still be checked against its config's with `isPlatformFor`.
 */
export function choosePlatform(descriptors: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const preferences = platformPreferences(wanted);
  return descriptors
    .map((descriptor) => ({ descriptor, rank: rankOf(descriptor, preferences) }))
    .filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.rank - b.rank || featureCount(b.descriptor) - featureCount(a.descriptor))[0]?.descriptor;
}

/** True when a node of platform `wanted` can run an image of platform `offered`. */
export function isPlatformFor(offered: Platform, wanted: Platform): boolean {
  return platformPreferences(wanted).some((preference) => isSame(offered, preference));
}

/** What a node of platform `wanted` can run, best first (containerd/platforms `platformVector`). */
export function platformPreferences(wanted: Platform): Platform[] {
  const platform = normalizePlatform(wanted);
  const { variant, ...plain } = platform;
  const variants = (architecture: string, names: readonly string[]) =>
    names.map((name) => ({ ...plain, architecture, variant: name }));
  switch (platform.architecture) {
    case 'amd64':
      return [platform, ...variants('amd64', ladder(variant, 1)), { ...plain, architecture: '386' }];
    case 'arm':
      return [platform, ...variants('arm', ladder(variant, 5))];
    case 'arm64':
      return [...variants('arm64', arm64Variants(variant ?? 'v8')), ...variants('arm', arm32Variants(variant ?? 'v8'))];
    default:
      return [platform];
  }
}

function normalizeArchitecture(given: string, givenVariant: string): { architecture: string; variant: string } {
  const architecture = given.toLowerCase();
  const variant = givenVariant.toLowerCase();
  switch (architecture) {
    case 'i386':
      return { architecture: '386', variant: '' };
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return { architecture: 'amd64', variant: variant === 'v1' ? '' : variant };
    case 'aarch64':
    case 'arm64':
      return { architecture: 'arm64', variant: ARM64_SPELLINGS.get(variant) ?? variant };
    case 'armhf':
      return { architecture: 'arm', variant: 'v7' };
    case 'armel':
      return { architecture: 'arm', variant: 'v6' };
    case 'arm':
      return { architecture: 'arm', variant: ARM_SPELLINGS.get(variant) ?? variant };
    default:
      return { architecture, variant };
  }
}

const ARM64_SPELLINGS = new Map([
  ['8', ''],
  ['v8', ''],
  ['v8.0', ''],
  ['9', 'v9'],
  ['9.0', 'v9'],
  ['v9.0', 'v9'],
]);
const ARM_SPELLINGS = new Map([
  ['', 'v7'],
  ['5', 'v5'],
  ['6', 'v6'],
  ['7', 'v7'],
  ['8', 'v8'],
]);

/** The variants below `variant`, down to `v<lowest>`; none when it is no number. */
function ladder(variant: string | undefined, lowest: number): string[] {
  const top = /^v(\d{1,2})$/.exec(variant ?? '')?.[1];
  const count = top === undefined ? 0 : Math.max(0, Number(top) - lowest);
  return Array.from({ length: count }, (_, step) => `v${lowest + count - 1 - step}`);
}

/** Armv9.x includes Armv8.(x+5): each major's own minors, downwards. Unknown variants match nothing of arm64. */
function arm64Variants(variant: string): string[] {
  const known = /^v(?:(8)(?:\.([0-9]))?|(9)(?:\.([0-7]))?)$/.exec(variant);
  if (known === null) return [];
  if (known[1] !== undefined) return minors(8, Number(known[2] ?? 0));
  const minor = Number(known[4] ?? 0);
  return [...minors(9, minor), ...minors(8, Math.min(minor + 5, 9))];
}

function minors(major: number, top: number): string[] {
  return Array.from({ length: top + 1 }, (_, step) => (step === top ? `v${major}` : `v${major}.${top - step}`));
}

/** Every arm64 we know runs 32-bit arm v8 and below. */
function arm32Variants(variant: string): string[] {
  return arm64Variants(variant).length === 0 ? [] : ['v8', ...ladder('v8', 5)];
}

/** A place in the order of preference; without a platform last; infinite when it cannot be run. */
function rankOf(descriptor: Descriptor, preferences: readonly Platform[]): number {
  const { platform } = descriptor;
  if (platform === undefined) return preferences.length;
  const rank = preferences.findIndex((preference) => isSame(platform, preference));
  return rank < 0 ? Number.POSITIVE_INFINITY : rank;
}

function featureCount(descriptor: Descriptor): number {
  return descriptor.platform?.osFeatures?.length ?? 0;
}

function isSame(offered: Platform, preference: Platform): boolean {
  const mine = normalizePlatform(preference);
  const theirs = normalizePlatform(offered);
  const features = (theirs.osFeatures ?? []).filter((feature) => feature !== 'win32k' || theirs.os !== 'windows');
  return (
    mine.os === theirs.os &&
    mine.architecture === theirs.architecture &&
    mine.variant === theirs.variant &&
    (mine.os !== 'windows' || isSameWindowsBuild(theirs.osVersion, mine.osVersion)) &&
    features.every((feature) => mine.osFeatures?.includes(feature))
  );
}

/** Windows images run on the build that they were made for; containerd's newer leniency towards older images is left out. */
function isSameWindowsBuild(offered: string | undefined, wanted: string | undefined): boolean {
  const build = (version: string) => version.split('.').slice(0, 3).join('.');
  return !offered || !wanted || build(offered) === build(wanted);
}
